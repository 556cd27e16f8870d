import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { journalOf } from '../checker/stored-journal.ts';
import type { StoreState } from '../checker.ts';
import type { Fault, FaultRun } from '../fault.ts';
import { changesBetween, type FileState, fileMap } from '../file-map.ts';
import { runStoreTrials, type TrialStore } from '../store-trials.ts';

const rounds = { quick: 1, soak: 10 };

/** The suite runs at the root of the repository, as npm starts it. */
const fixtures = 'test/fixtures/store-v1';

const variants = ['stopped', 'killed'] as const;

export const upgrade: Fault = {
  id: 'F26',
  title: 'a store of an earlier version, and a kill while it is taken over',
  needs: [],
  run(run) {
    const names = Array.from({ length: rounds[run.size] }, () => variants).flat();
    return runStoreTrials(run, names, (store, index) => trial(store, run, names[index] ?? ''));
  },
};

async function trial(store: TrialStore, run: FaultRun, variant: string): Promise<StoreState> {
  await cp(join(fixtures, variant), store.directory, { recursive: true });
  const inherited = await journalOf(store.directory);
  for (const { productId, newPrice, seq, version } of inherited) {
    store.operations.push({
      ...{ op: 'write', productId, price: newPrice, sent: '0', done: '1' },
      outcome: { kind: 'acknowledged', seq, version },
    });
  }
  const sealed = await sealedSegments(store);

  const first = store.launch();
  await delay(150 + run.random.integer(250));
  await first.kill('SIGKILL');
  const second = await store.start();
  const last = inherited.findLast(({ productId }) => productId === '..x');
  const { body } = await second.get('/api/product/..x/price');
  await store.writeCalmly(second.port, 100);
  await store.stop(second);

  store.expect(
    body.includes(`"price":${last?.newPrice},`) && body.includes(`"version":${last?.version},`),
    `the last price of an inherited product is ${body}`,
  );
  const now = await sealedSegments(store);
  const touched = changesBetween(sealed, now).filter((path) => sealed.has(path));
  store.expect(touched.length === 0, `${touched.join(', ')} was rewritten`);
  return 'stopped';
}

async function sealedSegments({ directory }: TrialStore): Promise<ReadonlyMap<string, FileState>> {
  const files = [...(await fileMap(directory))];
  return new Map(files.filter(([path]) => /^results\/.*\.ndjson$/.test(path)));
}
