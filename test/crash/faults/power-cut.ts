import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ChildService } from '../../support/child-service.ts';
import type { Checker } from '../checker.ts';
import { Client } from '../client.ts';
import type { Evidence, Fault, FaultRun } from '../fault.ts';
import { recoverTwice } from '../recover-twice.ts';
import { both, storeEvidence } from '../store-evidence.ts';
import { TrialOwner } from '../trial-owner.ts';
import { PowerSwitch, Volume } from '../volume.ts';

const cuts = { quick: 25, soak: 150 };

/** So many cuts on one volume, before the next one begins: each start meets what the last cut left. */
const cutsPerVolume = 25;
const volumeBytes = 128 * 1024 * 1024;

export const powerCut: Fault = {
  id: 'F3',
  title: 'power cut under load',
  needs: ['mounts', 'compiler'],
  async run(run) {
    const { checker } = run;
    const power = PowerSwitch.compile(run.directory);
    for (let first = 0; first < cuts[run.size]; first += cutsPerVolume) {
      const owner = new TrialOwner();
      try {
        const machine = new CutMachine(run, owner, checker, power, first);
        for (let cut = first; cut < first + cutsPerVolume; cut += 1) {
          await run.trial(`cut ${cut}`, () => machine.trial(cut));
        }
      } finally {
        await owner.end();
      }
    }
  },
};

class CutMachine {
  readonly #run: FaultRun;
  readonly #owner: TrialOwner;
  readonly #checker: Checker;
  readonly #power: PowerSwitch;
  readonly #volume: Volume;
  readonly #client: Client;

  constructor(
    run: FaultRun,
    owner: TrialOwner,
    checker: Checker,
    power: PowerSwitch,
    number: number,
  ) {
    this.#run = run;
    this.#owner = owner;
    this.#checker = checker;
    this.#power = power;
    // The device is in memory, so that a trial is as quick as the service.
    const memory = Volume.tmpfs(owner, join(run.directory, `memory-${number}`), 2 * volumeBytes);
    this.#volume = Volume.ext4(owner, join(memory.directory, 'volume'), volumeBytes);
    this.#client = new Client(owner, join(run.directory, `${number}.log`), 1 + number);
  }

  /** Load and a cut; in each third trial after a kill and a restart, whose recovery the cut must not undo. */
  async trial(cut: number): Promise<Evidence> {
    const killed = cut % 3 === 0 ? await this.#loadAndKill() : 0;
    const service = await this.#start();
    const load = this.#load(service);
    await delay(20 + this.#run.random.integer(300));
    this.#power.cut(this.#volume, service.pid);
    await service.exited;
    const { acknowledged } = await load;
    this.#volume.remount();
    const logs = [this.#client.log];
    const evidence = await storeEvidence(
      this.#checker,
      this.#directory,
      'crashed',
      logs,
      killed + acknowledged,
    );
    if (cut % 3 !== 1) return evidence;
    return both(evidence, await recoverTwice(this.#owner, this.#checker, this.#directory, logs));
  }

  get #directory(): string {
    return join(this.#volume.directory, 'data');
  }

  async #loadAndKill(): Promise<number> {
    const service = await this.#start();
    const load = this.#load(service);
    await delay(20 + this.#run.random.integer(200));
    await service.kill('SIGKILL');
    return (await load).acknowledged;
  }

  #start(): Promise<ChildService> {
    const { random } = this.#run;
    return ChildService.start(this.#owner, this.#directory, [
      ...['--segment-bytes-max', random.pick(['4096', '20000', '1000000'])],
      ...['--flush-interval-ms', random.pick(['1', '50'])],
      ...['--checkpoint-interval-ms', random.pick(['1', '100', '10000'])],
    ]);
  }

  #load(service: ChildService) {
    const { random } = this.#run;
    return this.#client.load({
      port: service.port,
      connections: random.pick([1, 10, 50]),
      products: random.pick([1, 5, 100]),
      onBroken: 'end',
    });
  }
}
