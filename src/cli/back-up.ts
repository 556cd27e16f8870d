import type { ServiceAddress } from '../config/options.ts';
import { hasCode, RepricerError } from '../errors.ts';
import { exitCode } from '../exit-code.ts';
import { DirectoryLock } from '../files/directory-lock.ts';
import type { FileSystem } from '../files/file-system.ts';
import { isWithin } from '../files/is-within.ts';
import { makeBackup } from '../storage/backup.ts';
import type { CopyCounts } from '../storage/copy-snapshot.ts';
import { type Snapshot, snapshotAtRest } from '../storage/snapshot.ts';
import { askSnapshot } from './ask-snapshot.ts';
import type { CommandReport } from './command-report.ts';
import { CopyProgress, type ProgressOutput } from './copy-progress.ts';
import { refuseMissingDirectory } from './refuse-missing-directory.ts';

/**
 * Copies a data directory into `target`, which becomes or stays a backup of it. When a service owns
 * the directory, that one is asked for a snapshot and goes on; otherwise nobody can start one meanwhile.
 */
export async function backUp(
  files: FileSystem,
  target: string,
  address: ServiceAddress,
  output: ProgressOutput,
): Promise<CommandReport> {
  const { dataDir } = address;
  await refuseMissingDirectory(files, dataDir);
  if (await isWithin(target, dataDir)) {
    const why = `${target} lies in the data directory ${dataDir}, and would be lost with it`;
    throw new RepricerError('INVALID_CONFIG', why);
  }
  const lock = await lockUnlessOwned(files, dataDir);
  try {
    const snapshot =
      lock === 'owned' ? await askSnapshot(address) : await snapshotAtRest(files, dataDir);
    const { onBytes } = new CopyProgress('copied', snapshot, output);
    const counts = await makeBackup(files, dataDir, target, snapshot, onBytes);
    const from = lock === 'owned' ? 'a running service' : 'no running service';
    return { code: exitCode.ok, lines: describeBackup(dataDir, target, from, snapshot, counts) };
  } finally {
    if (lock !== 'owned') await lock?.release();
  }
}

async function lockUnlessOwned(
  files: FileSystem,
  directory: string,
): Promise<DirectoryLock | 'owned' | undefined> {
  try {
    return await DirectoryLock.acquireIfPresent(files, directory);
  } catch (error) {
    if (hasCode(error, 'DIRECTORY_LOCKED')) return 'owned';
    throw error;
  }
}

function describeBackup(
  dataDir: string,
  target: string,
  from: string,
  { seq, timestamp }: Snapshot,
  { copied, copiedBytes, kept }: CopyCounts,
): readonly string[] {
  return [
    `data directory  ${dataDir}, of ${from}`,
    `backup          ${target}`,
    `last record     ${timestamp === null ? 'none' : `seq ${seq}, of ${timestamp}`}`,
    `copied          ${copied} files, ${copiedBytes} bytes`,
    `kept            ${kept} files, which were there and are as they should be`,
    'The backup is whole and on disk.',
  ];
}
