import { join } from 'node:path';
import { RepricerError } from '../errors.ts';
import { listIfPresent, makeDirectories } from '../files/directories.ts';
import { DirectoryLock } from '../files/directory-lock.ts';
import { type FileSystem, isMissing } from '../files/file-system.ts';
import { readFile } from '../files/read-file.ts';
import { replaceFile } from '../files/replace-file.ts';
import { type CopyCounts, copySnapshot } from './copy-snapshot.ts';
import {
  checkPrefix,
  describePrefixDamage,
  type OnBytes,
  type PrefixDamage,
} from './file-prefix.ts';
import { needRoom } from './need-room.ts';
import { decodeSnapshot, encodeSnapshot, type Snapshot } from './snapshot.ts';

/**
 * What makes a directory a backup: the snapshot that was copied into it. It gets this name when all
 * files are in place and on disk, and has `.partial` behind it until then.
 */
export const backupFile = 'backup.json';
const partialFile = `${backupFile}.partial`;

/**
 * Copies a snapshot of `source` into a directory that is new, empty, or an earlier backup of the same
 * store. When this is interrupted or fails, an earlier backup in it stays what it was, as its files
 * only grow; the next run goes on. Throws as `copySnapshot`, and `INVALID_CONFIG` for another directory.
 */
export async function makeBackup(
  files: FileSystem,
  source: string,
  target: string,
  snapshot: Snapshot,
  onBytes: OnBytes,
): Promise<CopyCounts> {
  // Before a lock file is put into a directory of somebody else …
  await refuseForeign(files, source, target, snapshot);
  await makeDirectories(files, target);
  const lock = await DirectoryLock.acquire(files, target);
  try {
    // … and when no other backup can end any more, which may be of a later state.
    await refuseForeign(files, source, target, snapshot);
    const partial = join(target, partialFile);
    await needRoom(`${partialFile} in ${target}`, () =>
      replaceFile(files, partial, [Buffer.from(encodeSnapshot(snapshot))]),
    );
    const counts = await copySnapshot(files, source, target, snapshot, onBytes);
    await files.rename(partial, join(target, backupFile));
    await files.syncDirectory(target);
    return counts;
  } finally {
    await lock.release();
  }
}

/** The snapshot that a backup is of. Throws `JOURNAL_DAMAGED` when the directory has no whole one. */
export async function readBackup(files: FileSystem, directory: string): Promise<Snapshot> {
  let line: Buffer;
  try {
    line = await readFile(files, join(directory, backupFile));
  } catch (error) {
    if (!isMissing(error)) throw error;
    const names = await files.list(directory);
    const why = names.includes(partialFile)
      ? 'the backup was interrupted; run it again'
      : `there is no ${backupFile}, so this is no backup`;
    throw new RepricerError('JOURNAL_DAMAGED', `${directory}: ${why}`, { cause: error });
  }
  const snapshot = decodeSnapshot(line);
  if (snapshot !== undefined) return snapshot;
  const problem = `${backupFile}, offset 0: it is damaged`;
  throw new RepricerError('JOURNAL_DAMAGED', `${directory}: ${problem}`);
}

/** Reads all files of a backup and throws `JOURNAL_DAMAGED`, with file and offset, unless each is as it was copied. */
export async function checkBackup(
  files: FileSystem,
  directory: string,
  snapshot: Snapshot,
  onBytes: OnBytes,
): Promise<void> {
  const damages: PrefixDamage[] = [];
  for (const prefix of snapshot.files) {
    const damage = await checkPrefix(files, directory, prefix, onBytes);
    if (damage !== undefined) damages.push(damage);
  }
  if (damages.length === 0) return;
  const all = damages.map(describePrefixDamage).join('\n  ');
  throw new RepricerError('JOURNAL_DAMAGED', `the backup in ${directory} is damaged:\n  ${all}`);
}

/** Throws `INVALID_CONFIG` when a directory is a backup: whatever wrote to it would spoil it. */
export async function refuseBackup(files: FileSystem, directory: string): Promise<void> {
  const names = await listIfPresent(files, directory);
  if (!names.includes(backupFile) && !names.includes(partialFile)) return;
  const why = `${directory} is a backup; "repricer restore" makes a data directory of it`;
  throw new RepricerError('INVALID_CONFIG', why);
}

/** Entries that a directory may have and still be empty: a new file system has the one, a lock leaves the other. */
const nothings: ReadonlySet<string> = new Set(['lost+found', 'LOCK']);

/** Throws `INVALID_CONFIG` when a directory has anything in it; one that is missing is empty. */
export async function refuseFull(files: FileSystem, directory: string): Promise<void> {
  const found = (await listIfPresent(files, directory)).find((name) => !nothings.has(name));
  if (found === undefined) return;
  throw new RepricerError('INVALID_CONFIG', `${directory} is not empty: there is ${found}`);
}

async function refuseForeign(
  files: FileSystem,
  source: string,
  target: string,
  snapshot: Snapshot,
): Promise<void> {
  const names = await listIfPresent(files, target);
  if (!names.includes(backupFile)) {
    if (!names.includes(partialFile)) await refuseFull(files, target);
    return;
  }
  if (await goesOn(files, source, await readBackup(files, target), snapshot)) return;
  const why = `${target} has a backup of another store, or of a later state of it; name another directory`;
  throw new RepricerError('INVALID_CONFIG', why);
}

/** Whether the store in `source`, which is at `now`, was once at `earlier`. */
async function goesOn(
  files: FileSystem,
  source: string,
  earlier: Snapshot,
  now: Snapshot,
): Promise<boolean> {
  const prefixes = new Map(now.files.map((prefix) => [prefix.file, prefix]));
  for (const before of earlier.files) {
    const prefix = prefixes.get(before.file);
    if (prefix === undefined || prefix.bytes < before.bytes) return false;
    const isSame =
      prefix.bytes === before.bytes
        ? prefix.sha256 === before.sha256
        : (await checkPrefix(files, source, before)) === undefined;
    if (!isSame) return false;
  }
  return true;
}
