import { setTimeout as delay } from 'node:timers/promises';
import type { StoreState } from '../checker.ts';
import { expectHealthy } from '../expect-healthy.ts';
import type { Fault, FaultRun } from '../fault.ts';
import { numbered, runStoreTrials, type TrialStore } from '../store-trials.ts';

const pauses = { quick: 5, soak: 40 };
const pauseMsMax = { quick: 3000, soak: 30_000 };

export const pause: Fault = {
  id: 'F17',
  title: 'the process stands still for seconds, under load',
  needs: [],
  run: (run) =>
    runStoreTrials(run, numbered('pause', pauses[run.size]), (store) => trial(store, run)),
};

/** Clients that give up before the pause is over and others that wait; both must find it as it was. */
async function trial(store: TrialStore, { random, size }: FaultRun): Promise<StoreState> {
  const service = await store.start(['--segment-bytes-max', random.pick(['20000', '1000000'])]);
  const load = store.load({
    port: service.port,
    connections: random.pick([5, 40]),
    products: random.pick([1, 20]),
    onBroken: 'again',
    timeoutMs: random.pick([300, 60_000]),
  });

  await delay(100 + random.integer(300));
  service.signal('SIGSTOP');
  await delay(1000 + random.integer(pauseMsMax[size] - 1000));
  service.signal('SIGCONT');
  await expectHealthy(store, service);
  await delay(200);
  store.client.stop();
  await load;

  await store.writeCalmly(service.port, 50);
  await store.stop(service);
  return 'stopped';
}
