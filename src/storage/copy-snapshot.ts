import { dirname, join } from 'node:path';
import { RepricerError } from '../errors.ts';
import { makeDirectories } from '../files/directories.ts';
import { type FileSystem, isMissing } from '../files/file-system.ts';
import { replaceFile } from '../files/replace-file.ts';
import {
  checkPrefix,
  describePrefixDamage,
  type OnBytes,
  type PrefixDamage,
  PrefixReading,
  withPrefix,
} from './file-prefix.ts';
import { needRoom } from './need-room.ts';
import type { FilePrefix, Snapshot } from './snapshot.ts';

/** What was copied, and what was there already. */
export interface CopyCounts {
  readonly copied: number;
  readonly copiedBytes: number;
  readonly kept: number;
}

/**
 * Copies what a snapshot names from one directory to another; all of it is on disk there when this
 * resolves. `source` may be written to meanwhile. A file whose sum is right in `target` already is
 * read, and not copied.
 *
 * A file gets its name there when it is whole, synced, and its sum the right one; the oldest segment
 * comes last. So a start refuses a directory in which some are missing: its segments begin too late.
 *
 * Throws `JOURNAL_DAMAGED` with file and offset when the source is not what the snapshot says, and
 * `NO_SPACE` when the target is full.
 */
export async function copySnapshot(
  files: FileSystem,
  source: string,
  target: string,
  snapshot: Snapshot,
  onBytes: OnBytes,
): Promise<CopyCounts> {
  let [copied, copiedBytes, kept] = [0, 0, 0];
  for (const prefix of snapshot.files) {
    if (await isThere(files, target, prefix)) {
      kept += 1;
      await onBytes(prefix.file, prefix.bytes);
    } else {
      await needRoom(`${prefix.file} in ${target}`, () =>
        copyPrefix(files, source, target, prefix, onBytes),
      );
      copied += 1;
      copiedBytes += prefix.bytes;
    }
  }
  return { copied, copiedBytes, kept };
}

/** Only whole: what is longer has been written past this snapshot, or by someone else. */
async function isThere(files: FileSystem, target: string, prefix: FilePrefix): Promise<boolean> {
  try {
    if ((await files.stat(join(target, prefix.file))).bytes !== prefix.bytes) return false;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  return (await checkPrefix(files, target, prefix)) === undefined;
}

async function copyPrefix(
  files: FileSystem,
  source: string,
  target: string,
  prefix: FilePrefix,
  onBytes: OnBytes,
): Promise<void> {
  const path = join(target, prefix.file);
  await makeDirectories(files, dirname(path));
  const missing = await withPrefix(files, source, prefix, async (file) => {
    const reading = new PrefixReading(file, prefix, onBytes);
    await replaceFile(files, path, reading.pieces(), async () => {
      refuseDamage(source, await reading.damage());
    });
    return undefined;
  });
  refuseDamage(source, missing);
}

function refuseDamage(source: string, damage: PrefixDamage | undefined): void {
  if (damage === undefined) return;
  const why = `in ${source}: ${describePrefixDamage(damage)}; the file was not copied`;
  throw new RepricerError('JOURNAL_DAMAGED', why);
}
