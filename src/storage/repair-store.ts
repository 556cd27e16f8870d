import { hasCode } from '../errors.ts';
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
  /** Why it could not be: the journal lacks something that they know of, though no line of it is bad. */
  readonly derivedProblem: string | undefined;
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
  const nothing = { derived: undefined, derivedProblem: undefined };
  if (found.damageCount === 0) return { found, mended: [], lost: [], ...nothing };
  const journal = await repairJournal(files, directory, isApplied);
  if (!isApplied || journal.lost.length > 0) return { found, ...journal, ...nothing };
  try {
    const derived = await rebuildDerived(files, directory, events);
    return { found, ...journal, derived, derivedProblem: undefined };
  } catch (error) {
    if (!hasCode(error, 'JOURNAL_DAMAGED')) throw error;
    return { found, ...journal, derived: undefined, derivedProblem: error.message };
  }
}
