import { createHash } from 'node:crypto';
import { FastRandom } from '../../support/fast-random.ts';
import type { Evidence, Fault, FaultRun } from '../fault.ts';
import { crashStates } from '../states/crash-states.ts';
import { examine } from '../states/examine.ts';
import { History } from '../states/history.ts';
import { Tree } from '../states/tree.ts';

/** States drawn after each effect of a scenario, … */
const statesPerEffect = { quick: 200, soak: 2000 };
/** … and after each effect of a recovery from one kill in so many. */
const statesPerEffectAfterKill = { quick: 12, soak: 72 };
const killEvery = { quick: 5, soak: 1 };

const examinedAtOnce = 8;

export const crashStatesFault: Fault = {
  id: 'F4',
  title: 'every state that a power cut may leave, also of a recovery',
  needs: [],
  async run(run) {
    const states = new States(run);
    for (const [name, scenario] of Object.entries(scenarios)) {
      const history = new History();
      await scenario(history);
      await states.cutPower(name, history, 0, statesPerEffect[run.size]);
      for (let kill = 0; kill < history.effects.length; kill += killEvery[run.size]) {
        const killed = history.killedAfter(kill);
        await recoverAndGoOn(killed);
        const most = statesPerEffectAfterKill[run.size];
        await states.cutPower(`${name} killed at ${kill}`, killed, kill, most);
      }
    }
    await states.end();
  },
};

const scenarios: Readonly<Record<string, (history: History) => Promise<void>>> = {
  async 'group commits, seals and checkpoints'(history) {
    await history.start();
    await history.write('a');
    await history.write('a', 'b', 'a');
    await history.checkpointed();
    await history.write('b', 'c');
    await history.write('c');
    await history.write('a', 'd', 'b', 'a');
    await history.checkpointed();
    await history.write('e', 'a');
    await history.write('f');
  },
  async 'a clean stop and another start'(history) {
    await history.start();
    await history.write('a', 'b');
    await history.write('a');
    await history.stop();
    await history.start();
    await history.write('b', 'c', 'c');
    await history.stop();
    await history.start();
    await history.write('a');
  },
  async 'a failed sync and a restart'(history) {
    await history.start();
    await history.write('a', 'b');
    await history.checkpointed();
    await history.write('a', 'c', 'a');
    history.files.failNextSync(/\.open$/);
    await history.write('b', 'b');
    await history.write('a');
    await history.stop();
    await history.start();
    await history.write('c', 'b');
    await history.write('d');
  },
  async 'a product file that could not be synced'(history) {
    await history.start();
    await history.write('a', 'b');
    history.files.failNextSync(/results_by_product/);
    await history.checkpointed();
    await history.write('a');
    await history.checkpointed();
    await history.write('b', 'a');
  },
};

/** What the next process does with what a killed one left. */
async function recoverAndGoOn(history: History): Promise<void> {
  await history.start();
  await history.write('a', 'b');
  await history.write('g');
  await history.checkpointed();
  await history.write('a');
}

class States {
  readonly #run: FaultRun;
  readonly #random: FastRandom;
  readonly #seen = new Set<string>();
  readonly #running: Promise<void>[] = [];

  constructor(run: FaultRun) {
    this.#run = run;
    this.#random = new FastRandom(run.random.integer(2 ** 31));
  }

  /** Cuts the power after each effect from `first` on and examines up to `statesMax` of the states it may leave. */
  async cutPower(name: string, history: History, first: number, statesMax: number): Promise<void> {
    for (let count = first; count <= history.effects.length; count += 1) {
      const operations = history.operationsBefore(count);
      const effects = history.effects.slice(0, count);
      let number = 0;
      for (const state of crashStates(new Tree(), effects, statesMax, this.#random)) {
        number += 1;
        const { kind } = effects.at(-1) ?? { kind: 'nothing' };
        if (!this.#isNew(state, JSON.stringify(operations))) continue;
        await this.#examine(`${name}: power cut at ${count} (${kind}), state ${number}`, () =>
          examine(this.#run.checker, state, operations),
        );
      }
    }
  }

  /** Returns before it is done, so that a few states are examined while the checker checks one. */
  async #examine(name: string, act: () => Promise<Evidence>): Promise<void> {
    this.#running.push(this.#run.trial(name, act));
    if (this.#running.length >= examinedAtOnce) await this.#running.shift();
  }

  async end(): Promise<void> {
    await Promise.all(this.#running);
    this.#run.note(`${this.#seen.size} distinct states`);
  }

  #isNew(state: Tree, operations: string): boolean {
    const hash = createHash('sha1').update(operations);
    for (const [path, entry] of [...state.names].sort()) {
      hash.update(path);
      if ('file' in entry) hash.update(state.files.get(entry.file)?.bytes ?? '');
    }
    const key = hash.digest('base64');
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }
}
