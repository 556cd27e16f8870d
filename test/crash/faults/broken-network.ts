import { setTimeout as delay } from 'node:timers/promises';
import type { StoreState } from '../checker.ts';
import { expectHealthy } from '../expect-healthy.ts';
import type { Fault, FaultRun } from '../fault.ts';
import { allTroubles, Network, type Trouble } from '../network.ts';
import { runStoreTrials, type TrialStore } from '../store-trials.ts';

const rounds = { quick: 1, soak: 8 };

export const brokenNetwork: Fault = {
  id: 'F19',
  title: 'packets lost, resets, a slow link, a dead one',
  needs: ['namespaces'],
  run(run) {
    const names = Array.from({ length: rounds[run.size] }, () => allTroubles).flat();
    return runStoreTrials(run, names, (store, index) =>
      trial(store, run, names[index] ?? 'the link down'),
    );
  },
};

/** Writes whose answer did not come are in the journal or not, and the service never notices more. */
async function trial(store: TrialStore, run: FaultRun, trouble: Trouble): Promise<StoreState> {
  const network = new Network(store.owner);
  const { host, wrapper } = network;
  const service = await store.start(['--host', host, '--allow-anonymous'], { wrapper });
  const { port } = service;
  const load = store.load({
    ...{ host, port, connections: 20, products: 10, onBroken: 'again', timeoutMs: 500 },
  });
  await delay(300);
  network.begin(trouble);
  await delay(1500 + run.random.integer(1000));
  network.end(trouble);
  await delay(300);
  store.client.stop();
  const { acknowledged, unknown } = await load;

  run.note(`${trouble}: ${acknowledged} acknowledged, ${unknown} without an answer`);
  await expectHealthy(store, service, host);
  await store.writeCalmly(port, 50, host);
  await store.stop(service);
  return 'stopped';
}
