import { setTimeout as delay } from 'node:timers/promises';
import type { ChildService } from '../../support/child-service.ts';
import type { StoreState } from '../checker.ts';
import type { LoadResult } from '../client.ts';
import { expectHealthy } from '../expect-healthy.ts';
import type { Fault, FaultRun } from '../fault.ts';
import { residentBytes } from '../process-state.ts';
import { numbered, runStoreTrials, type TrialStore } from '../store-trials.ts';

const trials = { quick: 1, soak: 3 };

const normalConnections = 50;
const overloadConnections = 250;
const phaseMs = { quick: 2000, soak: 10_000 };

/** What 200 more connections with a refused request each may take. */
const growthBytesMax = 100 * 1024 * 1024;

/** Against the slowest answers of the same time: a refusal waits for the same event loop, but for no disk. */
const refusalP99PerP99Max = 1.2;

/** Of the slower of the two phases before. */
const throughputAfterMin = 0.8;

/** Whatever else the machine does may make one phase slow; a service that stays slow is slow in all of them. */
const phasesAfterMax = 6;

export const overload: Fault = {
  id: 'F21',
  title: 'five times the load that the queue holds, then normal again',
  needs: [],
  isTimed: true,
  run: (run) =>
    runStoreTrials(run, numbered('overload', trials[run.size]), (store) => trial(store, run)),
};

async function trial(store: TrialStore, run: FaultRun): Promise<StoreState> {
  const service = await store.start(['--queue-max', String(normalConnections)]);
  await normalPhase(store, service, run);
  const before = [await normalPhase(store, service, run), await normalPhase(store, service, run)];
  const bytesBefore = residentBytes(service.pid, 'most');

  const during = await phase(store, service, overloadConnections, phaseMs[run.size]);
  const growth = residentBytes(service.pid, 'most') - bytesBefore;
  await delay(1000);
  const enough = Math.min(...before) * throughputAfterMin;
  const after = await phasesUntil(enough, () => normalPhase(store, service, run));

  const { p99 } = during.refusalMs;
  const refusalRatio = p99 / during.latencyMs.p99;
  run.note(
    `${before.join(' + ')}, ${during.acknowledged}, ${after.join(' + ')} acknowledged in the phases before, during, after; ` +
      `${during.refused} refused, p99 ${p99.toFixed(1)} ms (all: ${during.latencyMs.p99.toFixed(1)} ms); ` +
      `memory +${(growth / 1e6).toFixed(1)} MB`,
  );
  store.expect(during.refused > 0, 'the overload was none');
  store.expect(during.unknown === 0, `${during.unknown} requests got no answer`);
  store.expect(refusalRatio <= refusalP99PerP99Max, `refusals are slow: × ${refusalRatio}`);
  store.expect(growth <= growthBytesMax, `the process grew by ${growth} bytes`);
  store.expect(
    after.some((count) => count >= enough),
    `never again the throughput of before: ${after.join(', ')} against ${before.join(', ')}`,
  );
  await expectHealthy(store, service);
  await store.stop(service);
  return 'stopped';
}

/** @returns what was acknowledged in each phase; the last is the first that had `enough`, if any had. */
async function phasesUntil(enough: number, phase: () => Promise<number>): Promise<number[]> {
  const counts: number[] = [];
  while (counts.length < phasesAfterMax && !counts.some((count) => count >= enough)) {
    counts.push(await phase());
  }
  return counts;
}

async function normalPhase(
  store: TrialStore,
  service: ChildService,
  { size }: FaultRun,
): Promise<number> {
  const load = await phase(store, service, normalConnections, phaseMs[size]);
  return load.acknowledged;
}

async function phase(
  store: TrialStore,
  { port }: ChildService,
  connections: number,
  ms: number,
): Promise<LoadResult> {
  const load = store.load({ port, connections, products: 100, readPercent: 0, onBroken: 'again' });
  await delay(ms);
  store.client.stop();
  return load;
}
