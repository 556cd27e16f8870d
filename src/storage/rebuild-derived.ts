import { join } from 'node:path';
import { RepricerError } from '../errors.ts';
import { removeIfPresent } from '../files/directories.ts';
import { type FileSystem, isMissing } from '../files/file-system.ts';
import { copyAside, setAside } from '../files/set-aside.ts';
import { checkpointFile, readCheckpoint } from './checkpoint.ts';
import { type Damage, describeDamage } from './damage.ts';
import { Findings } from './findings.ts';
import { LineSums } from './line-sums.ts';
import { manifestFile, replaceManifest } from './manifest.ts';
import { findProductRecordBeyond } from './product-tails.ts';
import { recoverStore } from './recover-store.ts';
import type { RecoveryEvents } from './storage-events.ts';
import { type JournalSummary, verifyJournal } from './verify-journal.ts';
import { verifyProducts } from './verify-products.ts';

/** What was made anew beside the product files and the checkpoint, which always are. */
export interface DerivedRebuild {
  readonly isManifestRewritten: boolean;
  /** Product files that were damaged or had no place in the journal, and now end with `.broken`; the first hundred. */
  readonly setAside: readonly string[];
  readonly setAsideCount: number;
}

/** How many files that were set aside are named; all are counted. */
const namedMax = 100;

/**
 * Makes the manifest, product files and the checkpoint from the journal. Throws `JOURNAL_DAMAGED`, and
 * has changed nothing, when the journal is damaged or lacks a record that a product file or the
 * checkpoint knows of: then they may be the only copy. It may be interrupted at any point and run again.
 *
 * A bad manifest is kept as `.broken`. So is every product file in which damage was found, one of a
 * product that the journal does not know included: analysts would read it with the others.
 */
export async function rebuildDerived(
  files: FileSystem,
  directory: string,
  events: RecoveryEvents,
): Promise<DerivedRebuild> {
  const findings = new Findings();
  const sums = new LineSums();
  const journal = await verifyJournal(files, directory, findings, sums);
  const damage = findings.damages.find(({ file }) => file !== manifestFile);
  if (damage !== undefined) throw refusal(damage);
  await refuseLostEnd(files, directory, journal);
  const isManifestGood = findings.damageCount === 0 && isBeginning(journal);
  if (!isManifestGood) await rewriteManifest(files, directory, journal);
  // From here on a start makes product files anew, whatever becomes of this process.
  await removeIfPresent(files, join(directory, checkpointFile));
  await files.syncDirectory(directory);
  const aside = await setDamagedAside(files, directory, sums, journal.lastSeq);
  await recoverStore(files, directory, events);
  return { isManifestRewritten: !isManifestGood, ...aside };
}

async function refuseLostEnd(
  files: FileSystem,
  directory: string,
  { lastSeq }: JournalSummary,
): Promise<void> {
  const checkpoint = await readCheckpoint(files, directory);
  if (typeof checkpoint === 'object' && checkpoint.seq > lastSeq) {
    const problem = `the journal ends with seq ${lastSeq}`;
    throw refusal({ file: checkpointFile, offset: 0, seq: checkpoint.seq, problem });
  }
  const beyond = await findProductRecordBeyond(files, directory, lastSeq);
  if (beyond === undefined) return;
  throw refusal({ ...beyond, offset: 0, problem: `the journal ends with seq ${lastSeq}` });
}

function refusal(damage: Damage): RepricerError {
  return new RepricerError(
    'JOURNAL_DAMAGED',
    `the journal itself is damaged, so nothing was made from it; "repricer repair" says what can be mended. ${describeDamage(damage)}`,
  );
}

/** Whether the manifest lists the first of the sealed segments; the next start lists the others. */
function isBeginning({ listed, sealed }: JournalSummary): boolean {
  return listed.every(({ file }, index) => sealed[index]?.file === file);
}

async function rewriteManifest(
  files: FileSystem,
  directory: string,
  { sealed }: JournalSummary,
): Promise<void> {
  try {
    await copyAside(files, join(directory, manifestFile));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  await replaceManifest(files, directory, sealed);
}

async function setDamagedAside(
  files: FileSystem,
  directory: string,
  sums: LineSums,
  lastSeq: number,
): Promise<Omit<DerivedRebuild, 'isManifestRewritten'>> {
  const aside: string[] = [];
  let setAsideCount = 0;
  const onDamaged = async (file: string) => {
    await setAside(files, join(directory, file));
    setAsideCount += 1;
    if (aside.length < namedMax) aside.push(file);
  };
  // Ends that are not whole are no damage, as they may be those of an interrupted append.
  await verifyProducts(files, directory, new Findings(), sums, lastSeq, true, onDamaged);
  return { setAside: aside, setAsideCount };
}
