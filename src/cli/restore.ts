import { RepricerError } from '../errors.ts';
import { exitCode } from '../exit-code.ts';
import { makeDirectories } from '../files/directories.ts';
import { DirectoryLock } from '../files/directory-lock.ts';
import type { FileSystem } from '../files/file-system.ts';
import { isWithin } from '../files/is-within.ts';
import { checkBackup, readBackup, refuseFull } from '../storage/backup.ts';
import { copySnapshot } from '../storage/copy-snapshot.ts';
import { verifyStore } from '../storage/verify.ts';
import type { CommandReport } from './command-report.ts';
import { CopyProgress, type ProgressOutput } from './copy-progress.ts';
import { refuseMissingDirectory } from './refuse-missing-directory.ts';
import { describeReport } from './verify.ts';

/**
 * Checks a backup, copies it byte for byte into an empty data directory, and verifies what is there
 * then. Until all of it is there no service starts on the directory.
 */
export async function restore(
  files: FileSystem,
  backup: string,
  directory: string,
  output: ProgressOutput,
): Promise<CommandReport> {
  await refuseMissingDirectory(files, backup);
  await refuseFull(files, directory);
  if (await isWithin(directory, backup)) {
    throw new RepricerError('INVALID_CONFIG', `${directory} lies in the backup ${backup}`);
  }
  const snapshot = await readBackup(files, backup);
  await checkBackup(files, backup, snapshot, new CopyProgress('checked', snapshot, output).onBytes);
  await makeDirectories(files, directory);
  const lock = await DirectoryLock.acquire(files, directory);
  try {
    const { onBytes } = new CopyProgress('restored', snapshot, output);
    const { copied, copiedBytes } = await copySnapshot(files, backup, directory, snapshot, onBytes);
    const report = await verifyStore(files, directory);
    const isGood = report.damageCount === 0;
    return {
      code: isGood ? exitCode.ok : exitCode.damaged,
      lines: [
        `backup          ${backup}`,
        `restored        ${copied} files, ${copiedBytes} bytes`,
        ...describeReport(directory, report),
        'The first start makes product files and checkpoint from the journal.',
      ],
    };
  } finally {
    await lock.release();
  }
}
