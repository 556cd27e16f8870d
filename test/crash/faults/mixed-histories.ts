import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ChildService } from '../../support/child-service.ts';
import type { SeededRandom } from '../../support/seeded-random.ts';
import type { Checker } from '../checker.ts';
import { Client, type Load } from '../client.ts';
import type { Evidence, Fault } from '../fault.ts';
import { storeEvidence } from '../store-evidence.ts';
import type { TrialOwner } from '../trial-owner.ts';

const histories = { quick: 3, soak: 100 };

/** What befalls the service in one history, while two clients write and read all the time. */
const eventsPerHistory = 6;

export const mixedHistories: Fault = {
  id: 'F24',
  title: 'kills, pauses, stops and impatient clients in one history',
  needs: [],
  async run(run) {
    let operations = 0;
    for (let history = 0; history < histories[run.size]; history += 1) {
      await run.trial(`history ${history}`, async (owner) => {
        const directory = join(run.directory, `history-${history}`);
        const evidence = await oneHistory(owner, run.checker, run.random, directory);
        operations += evidence.operations;
        return evidence;
      });
    }
    run.note(`${operations} operations in ${histories[run.size]} linearizable histories`);
  },
};

type Event = 'kill' | 'pause' | 'stop' | 'impatience';

async function oneHistory(
  owner: TrialOwner,
  checker: Checker,
  random: SeededRandom,
  directory: string,
): Promise<Evidence & { operations: number }> {
  const clients = [1, 2].map((number) => new Client(owner, `${directory}.${number}.log`, number));
  let acknowledged = 0;
  let operations = 0;
  let service = await start(owner, directory, random);
  for (let event = 0; event < eventsPerHistory; event += 1) {
    const kind = random.pick<Event>(['kill', 'pause', 'stop', 'impatience']);
    const load: Load = {
      port: service.port,
      connections: random.pick([2, 10, 25]),
      products: random.pick([1, 3, 30]),
      readPercent: 40,
      onBroken: 'again',
      // An impatient client breaks off and so never knows; the others wait out a pause.
      timeoutMs: kind === 'impatience' ? random.pick([2, 5, 10]) : 10_000,
    };
    const loads = clients.map((client) => client.load(load));
    await delay(100 + random.integer(300));
    await befall(service, kind, random);
    for (const client of clients) client.stop();
    for (const result of await Promise.all(loads)) {
      acknowledged += result.acknowledged;
      operations += result.acknowledged + result.refused + result.unknown + result.reads;
    }
    if (kind === 'kill' || kind === 'stop') service = await start(owner, directory, random);
  }
  const { code } = await service.kill('SIGTERM');
  const logs = clients.map(({ log }) => log);
  const evidence = await storeEvidence(checker, directory, 'stopped', logs, acknowledged);
  const ends = code === 0 ? [] : [`the stop ended with code ${code}`];
  return { ...evidence, violations: [...(evidence.violations ?? []), ...ends], operations };
}

function start(owner: TrialOwner, directory: string, random: SeededRandom): Promise<ChildService> {
  return ChildService.start(owner, directory, [
    ...['--segment-bytes-max', random.pick(['4096', '100000'])],
    ...['--flush-interval-ms', random.pick(['1', '50'])],
    ...['--checkpoint-interval-ms', random.pick(['1', '100'])],
    // Last prices come from the files too.
    ...['--last-prices-max', random.pick(['1', '1000'])],
  ]);
}

async function befall(service: ChildService, kind: Event, random: SeededRandom): Promise<void> {
  if (kind === 'kill') await service.kill('SIGKILL');
  if (kind === 'stop') await service.kill('SIGTERM');
  if (kind === 'impatience') await delay(200);
  if (kind === 'pause') {
    service.signal('SIGSTOP');
    await delay(100 + random.integer(900));
    service.signal('SIGCONT');
    await delay(100);
  }
}
