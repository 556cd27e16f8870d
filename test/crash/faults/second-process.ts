import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChildService } from '../../support/child-service.ts';
import type { StoreState } from '../checker.ts';
import type { Fault, FaultRun } from '../fault.ts';
import { changesBetween, fileMap } from '../file-map.ts';
import { Probe } from '../probe.ts';
import { isStopped } from '../process-state.ts';
import { runStoreTrials, type TrialStore } from '../store-trials.ts';

const trials = { quick: 20, soak: 120 };

/** On a processor; a busy machine may take longer by the clock. */
const loserCpuMsMax = 1000;

const kinds = [
  'while the owner is paused',
  'two after a kill',
  'while the owner starts',
  'two at once',
  'five at once',
] as const;

export const secondProcess: Fault = {
  id: 'F15',
  title: 'more than one process on a directory',
  needs: [],
  run(run) {
    const names = Array.from(
      { length: trials[run.size] },
      (_, index) => `${kinds[index % kinds.length]}, ${index}`,
    );
    return runStoreTrials(run, names, (store, index) => trial(store, index, run));
  },
};

/** However it begins, one process serves in the end; what was acknowledged is there, and a stop is clean. */
async function trial(store: TrialStore, index: number, run: FaultRun): Promise<StoreState> {
  const race = new Race(store, run, new Probe(join(run.directory, `probe-${index}`)));
  const kind = kinds[index % kinds.length];
  const winner = await (kind === 'while the owner is paused'
    ? race.againstPaused(pauseMs(run, index))
    : kind === 'two after a kill'
      ? race.afterKill()
      : kind === 'while the owner starts'
        ? race.staggered()
        : race.atOnce(kind === 'two at once' ? 2 : 5));
  if (winner === undefined) return 'crashed';
  await store.writeCalmly(winner.port, 20);
  await store.stop(winner);
  return 'stopped';
}

/** Longer than any heartbeat or lease that could pass the ownership on, but not in every trial. */
function pauseMs({ random }: FaultRun, index: number): number {
  return index % 50 === 0 ? 30_000 : 200 + random.integer(1000);
}

/** Processes that want the same directory. */
class Race {
  readonly #store: TrialStore;
  readonly #run: FaultRun;
  readonly #probe: Probe;

  constructor(store: TrialStore, run: FaultRun, probe: Probe) {
    this.#store = store;
    this.#run = run;
    this.#probe = probe;
  }

  /** Others come while the owner stands still in the middle of its work, when nothing but they could touch a file. */
  async againstPaused(pauseMs: number): Promise<ChildService> {
    const owner = await this.#store.start();
    const load = this.#load(owner);
    await delay(50 + this.#run.random.integer(100));
    owner.signal('SIGSTOP');
    await isStopped(owner.pid);
    const before = await fileMap(this.#store.directory);

    for (const loser of [this.#launch(), this.#launch()]) await this.#expectLoser(loser);
    await delay(pauseMs);
    const touched = changesBetween(before, await fileMap(this.#store.directory));

    this.#store.expect(touched.length === 0, `a second process touched ${touched.join(', ')}`);
    owner.signal('SIGCONT');
    this.#store.client.stop();
    await load;
    return owner;
  }

  /** The lock ends with the process, so one of those that come right after it gets it. */
  async afterKill(): Promise<ChildService | undefined> {
    const owner = await this.#store.start();
    const load = this.#load(owner);
    await delay(100 + this.#run.random.integer(100));
    await owner.kill('SIGKILL');
    await load;
    return this.atOnce(2);
  }

  async staggered(): Promise<ChildService | undefined> {
    const first = this.#launch();
    await delay(this.#run.random.integer(500));
    return this.#winnerOf([first, this.#launch()]);
  }

  atOnce(count: number): Promise<ChildService | undefined> {
    return this.#winnerOf(Array.from({ length: count }, () => this.#launch()));
  }

  #launch(): ChildService {
    return this.#store.launch([], this.#probe.surroundings);
  }

  #load(owner: ChildService): Promise<unknown> {
    return this.#store.load({
      ...{ port: owner.port, connections: 10, products: 5, onBroken: 'end' },
    });
  }

  async #winnerOf(services: readonly ChildService[]): Promise<ChildService | undefined> {
    const areReady = await Promise.all(services.map((service) => service.becomesReady()));
    const winners = services.filter((_, index) => areReady[index]);
    this.#store.expect(winners.length === 1, `${winners.length} of ${services.length} serve`);
    const losers = services.filter((_, index) => !areReady[index]);
    for (const loser of losers) await this.#expectLoser(loser);
    return winners[0];
  }

  async #expectLoser(loser: ChildService): Promise<void> {
    if (await loser.becomesReady()) {
      this.#store.expect(false, 'a second process serves');
      await loser.kill('SIGKILL');
      return;
    }
    const { code, signal } = await loser.exited;
    this.#store.expect(code === 75, `a second process ended with ${code ?? signal}`);
    const { cpuMs } = this.#probe.last(loser.pid);
    const isPrompt = cpuMs < loserCpuMsMax * this.#run.pace;
    this.#store.expect(isPrompt, `a second process took ${cpuMs} ms to give way`);
  }
}
