import { setTimeout as delay } from 'node:timers/promises';
import type { StoreState } from '../checker.ts';
import { expectHealthy } from '../expect-healthy.ts';
import type { Fault, FaultRun } from '../fault.ts';
import { runStoreTrials, type TrialStore } from '../store-trials.ts';
import { type ProxyMode, TcpProxy } from '../tcp-proxy.ts';

const rounds = { quick: 1, soak: 8 };

const modes = ['cut', 'delay', 'swallow answers', 'half-open'] as const;

export const brokenConnections: Fault = {
  id: 'F19b',
  title: 'connections are cut, delayed, and die unnoticed',
  needs: [],
  run(run) {
    const names = Array.from({ length: rounds[run.size] }, () => modes).flat();
    return runStoreTrials(run, names, (store, index) => trial(store, run, names[index] ?? 'cut'));
  },
};

/** Requests without an answer are sent again with their keys, and every one is recorded once. */
async function trial(store: TrialStore, run: FaultRun, mode: ProxyMode): Promise<StoreState> {
  const service = await store.start(['--segment-bytes-max', '20000']);
  const proxy = await TcpProxy.open(store.owner, service.port);
  const load = store.load({
    ...{ port: proxy.port, connections: 20, products: 10, onBroken: 'again', timeoutMs: 400 },
    isInsisting: true,
  });
  for (let time = 0; time < 3; time += 1) {
    await delay(200);
    proxy.set(mode);
    await delay(300 + run.random.integer(500));
    proxy.set('pass');
  }
  await delay(200);
  store.client.stop();
  const { acknowledged, unknown, resent } = await load;

  run.note(`${mode}: ${acknowledged} acknowledged, ${resent} of them sent again`);
  store.expect(unknown === 0, `${unknown} writes were never acknowledged`);
  store.expect(resent > 0 || mode === 'delay', 'nothing had to be sent again');
  await expectHealthy(store, service);
  await store.writeCalmly(proxy.port, 50);
  await store.stop(service);
  return 'stopped';
}
