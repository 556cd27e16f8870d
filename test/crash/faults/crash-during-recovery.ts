import type { constants } from 'node:os';
import { errnoOf, RepricerError } from '../../../src/errors.ts';
import type { FileStorage } from '../../../src/storage/file-storage.ts';
import { FastRandom } from '../../support/fast-random.ts';
import { openStorage } from '../../support/store.ts';
import { differingPaths, type StoredFiles } from '../checker/stored-files.ts';
import type { Evidence, Fault } from '../fault.ts';
import type { Operation } from '../operation.ts';
import { crashStates } from '../states/crash-states.ts';
import { examine } from '../states/examine.ts';
import { dataDirectory, History } from '../states/history.ts';
import { MemoryFiles } from '../states/memory-files.ts';
import { Tree } from '../states/tree.ts';

const dirtyStores = { quick: 8, soak: 80 };

export const crashDuringRecovery: Fault = {
  id: 'F14',
  title: 'recovery killed or failed at each of its calls, and recovered from again',
  needs: [],
  async run(run) {
    const { checker } = run;
    const random = new FastRandom(run.random.integer(2 ** 31));
    for (let store = 0; store < dirtyStores[run.size]; store += 1) {
      const { dirty, operations } = await dirtyStore(random);
      const undisturbed = new MemoryFiles(dirty);
      const whole = await recover(undisturbed);
      const { effects, calls } = undisturbed;
      await run.trial(`store ${store}`, () => examine(checker, dirty, operations));
      for (let kill = 0; kill <= effects.length; kill += 1) {
        await run.trial(`store ${store}, killed after ${kill} effects`, () =>
          recoverAgain(killed(dirty, undisturbed, kill), whole),
        );
      }
      for (const code of ['EIO', 'ENOSPC'] as const) {
        for (let call = 1; call <= calls; call += 1) {
          await run.trial(`store ${store}, ${code} at call ${call}`, () =>
            failAndRecover(dirty, call, code, whole),
          );
        }
      }
    }
  },
};

/** One of the states that a power cut during ordinary work may leave. */
async function dirtyStore(
  random: FastRandom,
): Promise<{ readonly dirty: Tree; readonly operations: readonly Operation[] }> {
  const history = new History();
  await history.start();
  await history.write('a', 'b');
  await history.write('a', 'c', 'a');
  await history.checkpointed();
  await history.write('b', 'd');
  await history.write('a', 'b');
  await history.stop();
  await history.start();
  await history.write('a', 'e');
  await history.checkpointed();
  await history.write('b', 'a', 'c');
  const count = Math.floor(history.effects.length * (0.3 + 0.7 * (random.integer(1000) / 1000)));
  const states = [...crashStates(new Tree(), history.effects.slice(0, count), 50, random)];
  return { dirty: random.pick(states), operations: history.operationsBefore(count) };
}

/** The files as a start leaves them, to which then nothing more is done. */
async function recover(files: MemoryFiles): Promise<StoredFiles> {
  const storage = await openStorage(dataDirectory, { files });
  const recovered = files.tree.below(dataDirectory);
  files.detach();
  await storage.close();
  return recovered;
}

/** The machine after the process was killed: all that it had done is there. */
function killed(dirty: Tree, { effects, startedAt }: MemoryFiles, count: number): MemoryFiles {
  const tree = dirty.copy();
  effects.slice(0, count).forEach((effect, index) => {
    tree.apply(effect, startedAt + BigInt(index + 1));
  });
  return new MemoryFiles(tree);
}

async function recoverAgain(files: MemoryFiles, whole: StoredFiles): Promise<Evidence> {
  const paths = differingPaths(whole, await recover(files));
  return { violations: paths.map((path) => `${path}: not as an undisturbed recovery leaves it`) };
}

/** The first recovery meets an error at one call; if it says so, the next one finds what it would have found without. */
async function failAndRecover(
  dirty: Tree,
  call: number,
  code: keyof typeof constants.errno,
  whole: StoredFiles,
): Promise<Evidence> {
  const files = new MemoryFiles(dirty);
  files.failCall(call, code);
  const problem = await problemOf(openStorage(dataDirectory, { files }));
  const left = files.tree.copy();
  const isExpected =
    problem === undefined || errnoOf(problem) === code || problem instanceof RepricerError;
  const evidence = await recoverAgain(new MemoryFiles(left), whole);
  const odd = isExpected ? [] : [`it failed with ${problem}`];
  return { violations: [...odd, ...(evidence.violations ?? [])] };
}

/** Why the start failed; undefined when it did not, and then it is ended. */
async function problemOf(start: Promise<FileStorage>): Promise<unknown> {
  try {
    await (await start).close();
    return undefined;
  } catch (error) {
    return error;
  }
}
