import type { FileSystem } from '../files/file-system.ts';
import { type DerivedRebuild, rebuildDerived } from './rebuild-derived.ts';
import { type JournalRepair, repairJournal } from './repair-journal.ts';
import type { RecoveryEvents } from './storage-events.ts';
import { type VerifyReport, verifyStore } from './verify.ts';

export interface StoreRepair extends JournalRepair {
  /** What was found before anything was changed. */
  readonly found: VerifyReport;
  /** What was made anew from the whole journal; undefined when nothing was, or nothing had to be. */
  readonly derived: DerivedRebuild | undefined;
}

/**
 * Mends the journal from product files and, when nothing of it is lost, makes all else anew from the
 * journal. Without `isApplied` it only says what it would do.
 */
export async function repairStore(
  files: FileSystem,
  directory: string,
  isApplied: boolean,
  events: RecoveryEvents,
): Promise<StoreRepair> {
  const found = await verifyStore(files, directory);
  if (found.damageCount === 0) return { found, mended: [], lost: [], derived: undefined };
  const journal = await repairJournal(files, directory, isApplied);
  const isWhole = journal.lost.length === 0;
  const derived = isApplied && isWhole ? await rebuildDerived(files, directory, events) : undefined;
  return { found, ...journal, derived };
}
