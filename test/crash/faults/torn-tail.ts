import { openLedger } from '../../support/ledger.ts';
import { openStorage } from '../../support/store.ts';
import type { StoredFiles } from '../checker/stored-files.ts';
import type { Evidence, Fault } from '../fault.ts';
import { dataDirectory } from '../states/history.ts';
import { MemoryFiles } from '../states/memory-files.ts';
import { storedDifferences } from '../states/stored-differences.ts';
import type { Tree } from '../states/tree.ts';

export const tornTail: Fault = {
  id: 'F12',
  title: 'the open segment cut at every byte of its last two batches',
  needs: [],
  async run(run) {
    const behind = await storeWithOpenSegment(3_600_000);
    for (const at of cutsOf(behind)) {
      await run.trial(`cut at ${at}`, () => startOnCut(behind, at));
    }
    const caughtUp = await storeWithOpenSegment(0);
    for (const at of cutsOf(caughtUp).filter((cut) => !isBatchEnd(caughtUp, cut))) {
      await run.trial(`cut at ${at}, product files have it`, () => refuseCut(caughtUp, at));
    }
  },
};

interface OpenStore {
  readonly tree: Tree;
  readonly path: string;
  readonly bytes: Buffer;
  /** Where each batch ends. */
  readonly batchEnds: readonly number[];
}

/** Some batches in the open segment, of which product files got what `flushIntervalMs` let them have. */
async function storeWithOpenSegment(flushIntervalMs: number): Promise<OpenStore> {
  const files = new MemoryFiles();
  const { set, ledger } = await openLedger(dataDirectory, { files, options: { flushIntervalMs } });
  for (const batch of [
    ['a', 'b'],
    ['a', 'c', 'a'],
    ['b', 'a', 'd'],
  ]) {
    await Promise.all(batch.map((product, index) => set(product, `${index + 1}.5`)));
  }
  // One product file at a time is written, so once this one is there so are those before it.
  const isCaughtUp = () => files.tree.below(dataDirectory).get(fileOfLast)?.includes('"seq":8,');
  while (flushIntervalMs === 0 && isCaughtUp() !== true) await nextTurn();
  const tree = files.tree.copy();
  await ledger.close();
  const store = openSegmentOf(tree);
  return { tree, ...store, batchEnds: batchEndsOf(store.bytes) };
}

/** Records that wait together are one batch, so where batches end only the records say. */
function batchEndsOf(bytes: Buffer): readonly number[] {
  const ends = new Map<string, number>();
  let end = 0;
  for (const line of bytes.toString('latin1').split('\n').slice(0, -1)) {
    end += line.length + 1;
    ends.set(/"batch":(\d+)/.exec(line)?.[1] ?? '', end);
  }
  return [...ends.values()];
}

const fileOfLast = 'results_by_product/18/d.ndjson';

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function openSegmentOf(tree: Tree): Pick<OpenStore, 'path' | 'bytes'> {
  for (const [path, bytes] of tree.below(dataDirectory)) {
    if (path.endsWith('.open')) return { path, bytes };
  }
  throw new Error('there is no open segment');
}

function cutsOf({ bytes, batchEnds }: OpenStore): readonly number[] {
  const first = batchEnds.at(-3) ?? 0;
  return Array.from({ length: bytes.length - first }, (_, index) => first + index);
}

function isBatchEnd({ batchEnds }: OpenStore, at: number): boolean {
  return batchEnds.includes(at);
}

/** It starts; every whole batch before the cut stays as it was, and what follows them is kept aside. */
async function startOnCut(store: OpenStore, at: number): Promise<Evidence> {
  const files = new MemoryFiles(cut(store, at));
  const storage = await openStorage(dataDirectory, { files });
  const found = files.tree.below(dataDirectory);
  await storage.close();
  const wholeBytes = Math.max(...store.batchEnds.filter((end) => end <= at));
  const sealed = store.path.slice(0, -'.open'.length);
  const expected = new Map([[sealed, store.bytes.subarray(0, wholeBytes)]]);
  if (at > wholeBytes) {
    expected.set(`${sealed}.${wholeBytes}.broken`, store.bytes.subarray(wholeBytes, at));
  }
  const inJournal = [...found].filter(([path]) => path.startsWith('results/'));
  const wrong = storedDifferences(expected, new Map(inJournal));
  return { violations: wrong.map((path) => `${path}: not as the cut must leave it`) };
}

/** A product file shows that the cut records were acknowledged, so the start is refused. */
async function refuseCut(store: OpenStore, at: number): Promise<Evidence> {
  const files = new MemoryFiles(cut(store, at));
  const before: StoredFiles = files.tree.below(dataDirectory);
  const refusal = await openStorage(dataDirectory, { files }).then(
    () => 'it started',
    (error: unknown) => String(error),
  );
  const changed = storedDifferences(before, files.tree.below(dataDirectory));
  const violations = changed.map((path) => `${path}: a refused start changed it`);
  const isNamed = refusal.includes(`${store.path}, offset `) && /seq \d+:/.test(refusal);
  return { violations: isNamed ? violations : [...violations, refusal] };
}

function cut({ tree, path, bytes }: OpenStore, at: number): Tree {
  const copy = tree.copy();
  const file = copy.fileAt(`${dataDirectory}/${path}`) ?? 0;
  const old = copy.files.get(file);
  if (old !== undefined) copy.files.set(file, { ...old, bytes: bytes.subarray(0, at) });
  return copy;
}
