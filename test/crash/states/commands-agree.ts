import { RepricerError } from '../../../src/errors.ts';
import { readCheckpoint } from '../../../src/storage/checkpoint.ts';
import { type Damage, describeDamage } from '../../../src/storage/damage.ts';
import { repairStore } from '../../../src/storage/repair-store.ts';
import { verifyStore } from '../../../src/storage/verify.ts';
import { openStorage, RecordedEvents } from '../../support/store.ts';
import type { StoreToDamage } from './damaged-stores.ts';
import { dataDirectory } from './history.ts';
import { MemoryFiles } from './memory-files.ts';
import type { Tree } from './tree.ts';

/**
 * What start, verify and repair say otherwise than each other of one damaged store, a sentence each:
 *
 * - When a start refuses a store, verify finds damage in it.
 * - After a start, verify finds no damage in anything that a start reads. A start does not read sealed
 *   segments that have not changed since the checkpoint, nor what product files held by then.
 * - After a repair that names no loss, verify finds nothing and a start succeeds.
 * - A repair drops no line that any file had, and one that names no loss leaves all of them in the
 *   journal. Only what is left of a last batch that is not whole and in order, as of a torn tail, may
 *   end in a `.broken` file.
 */
export async function disagreements(store: StoreToDamage, tree: Tree): Promise<readonly string[]> {
  return [...(await ofStart(tree)), ...(await ofRepair(store, tree))];
}

async function ofStart(tree: Tree): Promise<readonly string[]> {
  const files = new MemoryFiles(tree);
  const refusal = await refusalOf(files);
  if (refusal === undefined) return leftByStart(tree, files.tree);
  const { damageCount } = await verifyStore(new MemoryFiles(tree), dataDirectory);
  return damageCount > 0 ? [] : [`a start refuses what verify calls whole: ${refusal.message}`];
}

async function leftByStart(before: Tree, after: Tree): Promise<readonly string[]> {
  const checkpoint = await readCheckpoint(new MemoryFiles(before), dataDirectory);
  const vouchedAtNs = typeof checkpoint === 'object' ? checkpoint.changedAtNs : -1n;
  const isRead = ({ file }: Damage) => {
    if (file.startsWith('results_by_product/')) return false;
    const stored = before.files.get(before.fileAt(`${dataDirectory}/${file}`) ?? -1);
    const isSealed = /^results\/.*\.ndjson$/.test(file);
    return !isSealed || stored === undefined || stored.changedAtNs > vouchedAtNs;
  };
  const { damages } = await verifyStore(new MemoryFiles(after), dataDirectory);
  return damages
    .filter(isRead)
    .map((damage) => `a start leaves damage in what it reads: ${describeDamage(damage)}`);
}

async function ofRepair(store: StoreToDamage, tree: Tree): Promise<readonly string[]> {
  const files = new MemoryFiles(tree);
  const events = new RecordedEvents();
  const { lost, derivedProblem } = await repairStore(files, dataDirectory, true, events);
  const isMended = lost.length === 0 && derivedProblem === undefined;
  const dropped = droppedLines(store, tree, files.tree, isMended);
  if (!isMended) return dropped;
  const { damages } = await verifyStore(new MemoryFiles(files.tree), dataDirectory);
  const refusal = await refusalOf(new MemoryFiles(files.tree));
  return [
    ...dropped,
    ...damages.map((damage) => `a repair leaves damage: ${describeDamage(damage)}`),
    ...(refusal === undefined ? [] : [`a start refuses what was mended: ${refusal.message}`]),
  ];
}

function droppedLines(
  store: StoreToDamage,
  before: Tree,
  after: Tree,
  isMended: boolean,
): readonly string[] {
  const had = linesIn(before, () => true);
  const kept = linesIn(after, () => true);
  const journal = linesIn(after, (path) => /^results\/.*\.ndjson(\.open)?$/.test(path));
  const lastBatchSeq = store.lastBatches[0]?.seq ?? 0;
  const lastBatch = [...journalLines(store)].filter((line) => seqOf(line) >= lastBatchSeq);
  const lastBytes = lastBatch.map((line) => `${line}\n`).join('');
  // From the beginning of a line: behind something else its first line is none any more.
  const isTorn = ![...before.below(dataDirectory).values()].some((bytes) =>
    `\n${bytes.toString('latin1')}`.includes(`\n${lastBytes}`),
  );
  const isDropped = (line: string) => {
    const mayBeAside = isTorn && seqOf(line) >= lastBatchSeq;
    return isMended && !mayBeAside ? !journal.has(line) : !kept.has(line);
  };
  return [...journalLines(store)]
    .filter((line) => had.has(line) && isDropped(line))
    .map((line) => `a repair drops ${line}`);
}

function seqOf(line: string): number {
  return (JSON.parse(line) as { seq: number }).seq;
}

function journalLines({ tree }: StoreToDamage): ReadonlySet<string> {
  return linesIn(tree, (path) => path.startsWith('results/'));
}

/** All lines of files with such a path within the data directory. */
function linesIn(tree: Tree, isWanted: (path: string) => boolean): ReadonlySet<string> {
  const files = [...tree.below(dataDirectory)].filter(([path]) => isWanted(path));
  return new Set(files.flatMap(([, bytes]) => bytes.toString('latin1').split('\n').slice(0, -1)));
}

/** How a start refuses; undefined when it succeeds. */
export async function refusalOf(files: MemoryFiles): Promise<RepricerError | undefined> {
  try {
    const storage = await openStorage(dataDirectory, { files });
    await storage.close();
    return undefined;
  } catch (error) {
    if (error instanceof RepricerError) return error;
    throw error;
  }
}
