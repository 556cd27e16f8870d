import { openStorage } from '../../support/store.ts';
import { toStore } from '../checker/stored-files.ts';
import type { Checker } from '../checker.ts';
import type { Evidence, Fault } from '../fault.ts';
import { type StoreToDamage, storeToDamage } from '../states/damaged-stores.ts';
import { editTree } from '../states/edit-tree.ts';
import { dataDirectory } from '../states/history.ts';
import { MemoryFiles } from '../states/memory-files.ts';

export const tornTail: Fault = {
  id: 'F12',
  title: 'the open segment cut off at every byte of its last two batches',
  needs: [],
  async run(run) {
    const { checker } = run;
    const store = await storeToDamage();
    const whole = store.tree.below(dataDirectory).get(store.open) ?? Buffer.alloc(0);
    const [last, before] = store.lastBatches.map(({ offset }) => offset);
    for (let length = before ?? 0; length < whole.length; length += 1) {
      const keptBytes = length < (last ?? 0) ? before : last;
      await run.trial(`cut to ${length} of ${whole.length} bytes`, () =>
        startOnCut(checker, store, whole.subarray(0, length), keptBytes ?? 0),
      );
    }
  },
};

/** Without product files and checkpoint, which would tell that more was there once. */
async function startOnCut(
  checker: Checker,
  store: StoreToDamage,
  cut: Buffer,
  keptBytes: number,
): Promise<Evidence> {
  const changes: Record<string, Buffer | undefined> = { [store.open]: cut };
  for (const path of [...store.products, 'checkpoint.json']) changes[path] = undefined;
  const files = new MemoryFiles(editTree(store.tree, changes));
  const storage = await openStorage(dataDirectory, { files });
  await storage.close();

  const found = files.tree.below(dataDirectory);
  const kept = found.get(store.open.replace(/\.open$/, ''));
  const saved = [...found].find(([path]) => path.endsWith('.broken'))?.[1] ?? Buffer.alloc(0);
  const { violations } = await checker.check({ store: toStore(found), state: 'stopped' });
  return {
    violations: [
      ...violations,
      ...(kept?.equals(cut.subarray(0, keptBytes)) ? [] : ['not exactly the whole batches stayed']),
      ...(saved.equals(cut.subarray(keptBytes)) ? [] : ['the tail was not kept aside']),
    ],
  };
}
