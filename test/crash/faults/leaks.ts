import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChildService } from '../../support/child-service.ts';
import type { StoreState } from '../checker.ts';
import type { Fault, FaultRun } from '../fault.ts';
import { Probe } from '../probe.ts';
import { openFiles } from '../process-state.ts';
import { RawConnection } from '../raw-connection.ts';
import { runStoreTrials, type TrialStore } from '../store-trials.ts';
import { until } from '../until.ts';

const cycles = { quick: 8, soak: 40 };

/** The first cycles fill caches and compile the code. */
const warmUpCycles = 3;

/** More than the feed keeps in memory. */
const recentEvents = 25_000;

/** What the heap may hold more at the end than after the warm-up. */
const heapGrowthBytesMax = 2 * 1024 * 1024;

export const leaks: Fault = {
  id: 'I10',
  title: 'fds and heap over many loads of broken connections',
  needs: [],
  run: (run) => runStoreTrials(run, ['one long-lived process'], (store) => trial(store, run)),
};

async function trial(store: TrialStore, run: FaultRun): Promise<StoreState> {
  const probe = new Probe(join(run.directory, 'probe'));
  const service = await store.start(['--last-prices-max', '100'], probe.surroundings);
  // The feed keeps recent events, up to a bound that is reached before anything is measured.
  await store.writeCalmly(service.port, recentEvents);
  const filesAtRest = openFiles(service.pid);
  let warm = { heapBytes: 0, resources: 0, files: 0 };
  let now = warm;
  for (let cycle = 0; cycle < cycles[run.size]; cycle += 1) {
    await makeTrouble(store, service, cycle);
    await connectionsClosed(service, filesAtRest);
    now = { ...(await probe.read(service.pid)), files: openFiles(service.pid) };
    if (cycle === warmUpCycles - 1) warm = now;
  }
  const heapGrowth = now.heapBytes - warm.heapBytes;
  run.note(
    `${cycles[run.size]} cycles: heap ${heapGrowth} bytes, fds ${now.files - warm.files}, resources ${now.resources - warm.resources}`,
  );
  store.expect(heapGrowth <= heapGrowthBytesMax, `the heap grew by ${heapGrowth} bytes`);
  store.expect(
    now.resources <= warm.resources + passingFiles,
    `handles grew from ${warm.resources} to ${now.resources}`,
  );
  await store.stop(service);
  return 'stopped';
}

/** Load, with connections beside it that break at every stage of a request, and errors of all kinds. */
async function makeTrouble(store: TrialStore, service: ChildService, cycle: number): Promise<void> {
  const load = store.load({
    ...{ port: service.port, connections: 80, products: 50, onBroken: 'again', timeoutMs: 60 },
  });
  for (let index = 0; index < 60; index += 1) {
    const product = `broken-${index}`;
    const connection = await RawConnection.open(store.owner, service.port, `${product}-${cycle}`);
    const request = connection.nextRequest();
    connection.write(request.slice(0, Math.floor((request.length * index) / 50)));
    if (index % 3 === 0) connection.write('\r\n\0 no HTTP \r\n\r\n');
    if (index % 2 === 0) await delay(2);
    connection.abort();
    store.operations.push(...connection.operations());
  }
  await delay(300);
  store.client.stop();
  await load;
}

/** Descriptors that come and go by themselves: the open segment, a product file, the probe's request. */
const passingFiles = 4;

/** The service has let go of all connections, also of those that died without a word. */
function connectionsClosed({ pid }: ChildService, filesAtRest: number): Promise<void> {
  return until(
    `no more than ${filesAtRest} and ${passingFiles} files are open`,
    () => openFiles(pid) <= filesAtRest + passingFiles,
  );
}
