import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ChildService } from '../../support/child-service.ts';
import { RecordSource } from '../../support/records.ts';
import { openStorage, testOptions } from '../../support/store.ts';
import type { Checker } from '../checker.ts';
import { Client } from '../client.ts';
import type { Evidence, Fault, FaultRun } from '../fault.ts';
import { both, storeEvidence } from '../store-evidence.ts';
import type { TrialOwner } from '../trial-owner.ts';

const records = { quick: 100_000, soak: 1_000_000 };
const kills = { quick: 1, soak: 3 };
const products = 10_000;
const batchRecords = 1000;

/** The target of the project: a process that was killed serves again within this time, on a machine that is not slow. */
const readyMsMax = 2000;

/** How long a restart takes does not depend on how much there is. */
export const killLargeStore: Fault = {
  id: 'F1L',
  title: 'SIGKILL on a store of up to a million records: ready again in 2 s',
  needs: [],
  isTimed: true,
  async run(run) {
    const { owner, checker } = run;
    await fill(join(run.directory, 'store'), records[run.size]);
    const client = new Client(owner, join(run.directory, 'client.log'), 1);
    for (let kill = 0; kill < kills[run.size]; kill += 1) {
      await run.trial(`kill ${kill}`, () => killAndRestart(run, owner, checker, client));
    }
  },
};

async function fill(directory: string, count: number): Promise<void> {
  const segmentBytesMax = 64 * 1024 * 1024;
  const options = { ...testOptions, segmentBytesMax, flushIntervalMs: 1000, backlogWaitMs: 60_000 };
  const storage = await openStorage(directory, { options });
  const source = new RecordSource();
  for (let first = 0; first < count; first += batchRecords) {
    const names = Array.from(
      { length: batchRecords },
      (_, i) => `filled ${(first + i) % products}`,
    );
    await storage.append(source.batch(...names));
  }
  await storage.close();
}

async function killAndRestart(
  run: FaultRun,
  owner: TrialOwner,
  checker: Checker,
  client: Client,
): Promise<Evidence> {
  const directory = join(run.directory, 'store');
  const service = await ChildService.start(owner, directory);
  const { port } = service;
  const load = client.load({ port, connections: 50, products: 1000, onBroken: 'end' });
  await delay(3000);
  await service.kill('SIGKILL');
  const { acknowledged } = await load;
  const startedMs = performance.now();
  const next = await ChildService.start(owner, directory);
  const readyMs = Math.round(performance.now() - startedMs);
  run.note(`ready ${readyMs} ms after the start, ${records[run.size]} records and more`);
  await next.kill('SIGTERM');
  const isLate = readyMs > readyMsMax * run.pace ? [`it was ready only after ${readyMs} ms`] : [];
  const filled = records[run.size];
  const logs = [client.log];
  const evidence = await storeEvidence(checker, directory, 'stopped', logs, acknowledged, filled);
  return both(evidence, { violations: isLate });
}
