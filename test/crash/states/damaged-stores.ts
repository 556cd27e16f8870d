import { readCheckpoint } from '../../../src/storage/checkpoint.ts';
import type { Operation } from '../operation.ts';
import { dataDirectory, History } from './history.ts';
import { MemoryFiles } from './memory-files.ts';
import type { Tree } from './tree.ts';

/** A store as a kill left it, for damage to be done to it. */
export interface StoreToDamage {
  readonly tree: Tree;
  /** What its clients were told. */
  readonly operations: readonly Operation[];
  /** Paths within the data directory. */
  readonly sealed: readonly string[];
  readonly open: string;
  readonly products: readonly string[];
  /** The last batches in the open segment, the latest first: where they begin, and with which seq. */
  readonly lastBatches: readonly { readonly offset: number; readonly seq: number }[];
  /** The first batch that neither the checkpoint nor a product file tells of. */
  readonly firstUntold: { readonly offset: number; readonly seq: number };
}

/** A few sealed segments and an open one, of which the last batches are in no product file yet. */
export async function storeToDamage(): Promise<StoreToDamage> {
  const history = new History();
  await history.start();
  await history.write('a', 'b', 'a');
  await history.write('c');
  await history.write('d', 'a');
  await history.stop();
  await history.start(10_000);
  await history.write('b', 'c', 'e');
  await history.write('a');
  await history.write('e', 'b');
  await history.checkpointed();
  await history.write('c', 'a', 'c');
  await history.checkpointed();
  await history.write('b', 'd', 'a');
  const count = history.effects.length;
  const operations = history.operationsBefore(count);
  const { tree } = history.killedAfter(count).files;
  await history.stop();
  const files = tree.below(dataDirectory);
  const paths = [...files.keys()];
  const open = paths.find((path) => path.endsWith('.open')) ?? '';
  const lastBatches = batchesIn(files.get(open) ?? Buffer.alloc(0)).toReversed();
  const checkpoint = await readCheckpoint(new MemoryFiles(tree), dataDirectory);
  const toldSeq = typeof checkpoint === 'object' ? checkpoint.seq : 0;
  const firstUntold = lastBatches.findLast(({ seq }) => seq > toldSeq);
  if (firstUntold === undefined) throw new Error('the checkpoint tells of the whole journal');
  return {
    tree,
    operations,
    sealed: paths.filter((path) => /^results\/.*\.ndjson$/.test(path)),
    open,
    products: paths.filter((path) => path.startsWith('results_by_product/')),
    lastBatches,
    firstUntold,
  };
}

function batchesIn(segment: Buffer): readonly { readonly offset: number; readonly seq: number }[] {
  const batches = [];
  let offset = 0;
  for (const line of segment.toString('utf8').split('\n').slice(0, -1)) {
    const { seq, batch } = JSON.parse(line) as { seq: number; batch: number };
    if (seq === batch) batches.push({ offset, seq });
    offset += Buffer.byteLength(line) + 1;
  }
  return batches;
}
