import { join } from 'node:path';
import { makeDirectories } from '../files/directories.ts';
import type { FileSystem } from '../files/file-system.ts';
import { inspectJournal } from './inspect-journal.ts';
import type { JournalStart } from './journal.ts';
import { mendJournal } from './mend-journal.ts';
import { productsDirectory } from './product-file.ts';
import { type RecoveredProductFiles, recoverProductFiles } from './recover-product-files.ts';
import { resultsDirectory } from './segment-file.ts';
import type { RecoveryEvents } from './storage-events.ts';

export interface RecoveredStore extends RecoveredProductFiles {
  readonly journal: JournalStart;
}

/**
 * From whatever a process left in the directory to a journal and product files that are complete and
 * on disk. Throws `JOURNAL_DAMAGED` when they cannot be; then nothing was changed.
 */
export async function recoverStore(
  files: FileSystem,
  directory: string,
  events: RecoveryEvents,
): Promise<RecoveredStore> {
  const findings = await inspectJournal(files, directory);
  await makeDirectories(files, join(directory, resultsDirectory));
  await makeDirectories(files, join(directory, productsDirectory));
  const journal = await mendJournal(files, directory, findings, events);
  const { sealed } = journal;
  const recovered = await recoverProductFiles(files, directory, findings, sealed, events);
  return { journal, ...recovered };
}
