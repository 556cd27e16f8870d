import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChildService, End, Surroundings } from '../../support/child-service.ts';
import type { StoreState } from '../checker.ts';
import type { LoadResult } from '../client.ts';
import { expectHealthy } from '../expect-healthy.ts';
import type { Fault, FaultRun } from '../fault.ts';
import { addressSpaceBytes, openFiles } from '../process-state.ts';
import { runStoreTrials, type TrialStore } from '../store-trials.ts';

const rounds = { quick: 1, soak: 6 };

const kinds = ['file descriptors', 'heap', 'address space', 'thread pool'] as const;

export const exhaustion: Fault = {
  id: 'F18',
  title: 'no more file descriptors, heap, memory or threads',
  needs: [],
  run(run) {
    const names = Array.from({ length: rounds[run.size] }, () => kinds).flat();
    const acts = {
      'file descriptors': withoutDescriptors,
      heap: withoutHeap,
      'address space': withoutAddressSpace,
      'thread pool': withOneThread,
    };
    return runStoreTrials(run, names, (store, index) => acts[names[index] ?? 'heap'](store, run));
  },
};

/** A process that lives so long without it has found enough. */
const lifeMsMax = { heap: 180_000, 'address space': 8000 };

/** Segments so small that one has to be opened every few batches. */
const rotating = ['--segment-bytes-max', '4096', '--flush-interval-ms', '20'];

/** While there are none the service refuses; when there are some again the same process goes on. */
async function withoutDescriptors(store: TrialStore, run: FaultRun): Promise<StoreState> {
  const service = await store.start(rotating);
  const load = loadOn(store, service, 30);
  await delay(300);
  limit(service, 'nofile', openFiles(service.pid) - 10);
  await delay(1000);
  limit(service, 'nofile', 20_000);
  await delay(300);
  store.client.stop();
  const { statuses } = await load;

  run.note(`without descriptors: ${JSON.stringify(statuses)}`);
  store.expect((statuses['503'] ?? 0) > 0, 'no request met the lack of descriptors');
  await expectHealthy(store, service);
  await store.writeCalmly(service.port, 100);
  await store.stop(service);
  return 'stopped';
}

/** Records wait in memory for their product files until there is none; then the process dies. */
async function withoutHeap(store: TrialStore, run: FaultRun): Promise<StoreState> {
  const hoarding = ['--flush-interval-ms', '3600000', '--backlog-records-max', '10000000'];
  const service = await store.start(hoarding, node('--max-old-space-size=40'));
  const end = await loadToItsEnd(store, service, run, 'heap');
  store.expect(end?.signal === 'SIGABRT', `without heap it ended with ${JSON.stringify(end)}`);
  return goOn(store);
}

/** Memory that the system refuses, as in a container at its limit. */
async function withoutAddressSpace(store: TrialStore, run: FaultRun): Promise<StoreState> {
  const service = await store.start(rotating);
  limit(service, 'as', addressSpaceBytes(service.pid) + 1024 * 1024);
  // It dies, or what it lacks is refused to a request: then it lives on.
  await loadToItsEnd(store, service, run, 'address space');
  return goOn(store);
}

/** Every system call on a file waits for the one before it. */
async function withOneThread(store: TrialStore): Promise<StoreState> {
  const service = await store.start(rotating, { env: { UV_THREADPOOL_SIZE: '1' } });
  const load = loadOn(store, service, 100);
  await delay(1000);
  await expectHealthy(store, service);
  store.client.stop();
  await load;
  await store.writeCalmly(service.port, 100);
  await store.stop(service);
  return 'stopped';
}

/** How it ended under load; undefined when it lived on for so long, and was killed. */
async function loadToItsEnd(
  store: TrialStore,
  service: ChildService,
  { note }: FaultRun,
  what: keyof typeof lifeMsMax,
): Promise<End | undefined> {
  const load = loadOn(store, service, 50);
  const end = await Promise.race([service.exited, delay(lifeMsMax[what], undefined)]);
  store.client.stop();
  const { acknowledged } = await load;
  note(`${what}: ${acknowledged} acknowledged, then ${JSON.stringify(end ?? 'still alive')}`);
  await service.kill('SIGKILL');
  return end;
}

/** The next start has all that was acknowledged. */
async function goOn(store: TrialStore): Promise<StoreState> {
  const next = await store.start();
  await store.writeCalmly(next.port, 50);
  await store.stop(next);
  return 'stopped';
}

function loadOn(
  store: TrialStore,
  { port }: ChildService,
  connections: number,
): Promise<LoadResult> {
  return store.load({ port, connections, products: 40, onBroken: 'again', timeoutMs: 2000 });
}

/** Lowers a limit of a running process, or lifts it again. */
function limit({ pid }: ChildService, resource: 'nofile' | 'as', soft: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--${resource}=${soft}:`]);
}

function node(option: string): Surroundings {
  return { env: { NODE_OPTIONS: option } };
}
