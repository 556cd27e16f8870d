import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ChildService } from '../../support/child-service.ts';
import type { Checker } from '../checker.ts';
import { Client } from '../client.ts';
import type { Evidence, Fault, FaultRun } from '../fault.ts';
import { recoverTwice } from '../recover-twice.ts';
import { both, storeEvidence } from '../store-evidence.ts';
import type { TrialOwner } from '../trial-owner.ts';

const kills = { quick: 50, soak: 300 };

/** So many kills on one directory, before the next one begins: each start meets what the last kill left. */
const killsPerStore = 50;

export const killAtRandom: Fault = {
  id: 'F1',
  title: 'SIGKILL at a random time under load',
  needs: [],
  async run(run) {
    const { owner, checker } = run;
    for (let first = 0; first < kills[run.size]; first += killsPerStore) {
      const directory = join(run.directory, `store-${first}`);
      const client = new Client(owner, `${directory}.log`, 1 + first);
      const store = new KilledStore(run, owner, checker, client, directory);
      for (let kill = first; kill < first + killsPerStore; kill += 1) {
        const isThird = kill % 3 === 2;
        await run.trial(`kill ${kill}`, () =>
          isThird ? store.trialWithTwoRecoveries() : store.trial(),
        );
      }
    }
  },
};

class KilledStore {
  readonly #run: FaultRun;
  readonly #owner: TrialOwner;
  readonly #checker: Checker;
  readonly #client: Client;
  readonly #directory: string;

  constructor(
    run: FaultRun,
    owner: TrialOwner,
    checker: Checker,
    client: Client,
    directory: string,
  ) {
    this.#run = run;
    this.#owner = owner;
    this.#checker = checker;
    this.#client = client;
    this.#directory = directory;
  }

  /** A start, which recovers from the kill before, load, and a kill: during the start in every eighth trial. */
  async trial(): Promise<Evidence> {
    const { random } = this.#run;
    const service = ChildService.launch(this.#owner, this.#directory, [
      ...['--segment-bytes-max', random.pick(['4096', '20000', '1000000'])],
      ...['--flush-interval-ms', random.pick(['1', '50'])],
      ...['--checkpoint-interval-ms', random.pick(['1', '100', '10000'])],
    ]);
    if (random.integer(8) === 0) {
      await delay(150 + random.integer(200));
      await service.kill('SIGKILL');
      return storeEvidence(this.#checker, this.#directory, 'crashed', [this.#client.log], 0);
    }
    await service.ready();
    const load = this.#client.load({
      port: service.port,
      connections: random.pick([1, 10, 50]),
      products: random.pick([1, 5, 100]),
      onBroken: 'end',
    });
    await delay(20 + random.integer(400));
    await service.kill('SIGKILL');
    const { acknowledged } = await load;
    return storeEvidence(
      this.#checker,
      this.#directory,
      'crashed',
      [this.#client.log],
      acknowledged,
    );
  }

  async trialWithTwoRecoveries(): Promise<Evidence> {
    const evidence = await this.trial();
    const { log } = this.#client;
    return both(evidence, await recoverTwice(this.#owner, this.#checker, this.#directory, [log]));
  }
}
