import { isSystemError, RepricerError } from '../../../src/errors.ts';
import { openStorage } from '../../support/store.ts';
import { Checker } from '../checker.ts';
import type { Evidence, Fault, FaultRun } from '../fault.ts';
import { type Disturbance, DisturbedFiles, Killed } from '../states/disturbed-files.ts';
import { dataDirectory, History } from '../states/history.ts';
import { MemoryFiles } from '../states/memory-files.ts';
import { asText, storedDifferences } from '../states/stored-differences.ts';
import type { Tree } from '../states/tree.ts';

/** Second recoveries, each disturbed at a random call, after each first one. */
const seconds = { quick: 1, soak: 20 };

const disturbances: readonly Disturbance[] = [
  'killed before',
  'killed after',
  'killed within',
  'EIO',
  'ENOSPC',
];

export const crashDuringRecovery: Fault = {
  id: 'F14',
  title: 'a recovery that is killed or meets an I/O error, twice',
  needs: [],
  async run(run) {
    for (const [name, dirty] of await dirtyStores()) await disturb(run, name, dirty);
  },
};

interface DirtyStore {
  readonly tree: Tree;
  readonly history: History;
}

/** What killed processes and a careless hand left, so that recovery has every kind of work to do. */
async function dirtyStores(): Promise<ReadonlyMap<string, DirtyStore>> {
  const history = new History();
  await history.start();
  await history.write('a', 'b');
  await history.write('a', 'c', 'a');
  await history.checkpointed();
  await history.write('b', 'd');
  await history.write('a', 'e', 'a');
  await history.write('f');
  const { tree } = history.files;
  const changed = (path: RegExp, change: (bytes: Buffer) => Buffer): DirtyStore => ({
    tree: withChanged(tree, path, change),
    history,
  });
  const stores = new Map<string, DirtyStore>([
    ['killed', { tree, history }],
    ['torn tail', changed(/\.open$/, (bytes) => Buffer.concat([bytes, Buffer.from('{"seq":1')]))],
    ['bad checkpoint', changed(/checkpoint\.json$/, (bytes) => bytes.fill(0, 4, 9))],
    ['torn manifest', changed(/manifest\.ndjson$/, (bytes) => bytes.subarray(0, -9))],
    ['torn product', changed(/\/[ef]\.ndjson$/, (bytes) => bytes.subarray(0, -9))],
  ]);
  const empty = new History();
  return stores.set('nothing', { tree: empty.files.tree, history: empty });
}

function withChanged(tree: Tree, path: RegExp, change: (bytes: Buffer) => Buffer): Tree {
  const copy = tree.copy();
  for (const [name, entry] of copy.names) {
    if (!('file' in entry) || !path.test(name)) continue;
    const file = copy.files.get(entry.file);
    if (file === undefined) continue;
    copy.files.set(entry.file, { ...file, bytes: change(Buffer.from(file.bytes)) });
  }
  return copy;
}

/** Disturbs the recovery at every call, in every way; the next but one must come to the same end. */
async function disturb(run: FaultRun, name: string, { tree, history }: DirtyStore): Promise<void> {
  const undisturbed = new MemoryFiles(tree);
  const counted = new DisturbedFiles(undisturbed, 0, 'EIO');
  const checker = new Checker();
  await run.trial(`${name}: undisturbed`, async () => {
    await openStorage(dataDirectory, { files: counted });
    const operations = history.operationsBefore(history.effects.length);
    const files = asText(undisturbed.tree.below(dataDirectory));
    const found = await checker.check({ store: { files }, state: 'recovered', operations });
    const { lost, phantom, violations } = found;
    return { lost, phantom, violations };
  });
  checker.close();
  for (let at = 1; at <= counted.calls; at += 1) {
    for (const how of disturbances) {
      for (let second = 0; second <= seconds[run.size]; second += 1) {
        const again = second === 0 ? 0 : 1 + run.random.integer(counted.calls);
        const howAgain = run.random.pick(disturbances);
        await run.trial(`${name}: ${how} at call ${at}, ${howAgain} at ${again}`, () =>
          recoverDisturbed(tree, undisturbed.tree, [
            [at, how],
            [again, howAgain],
          ]),
        );
      }
    }
  }
}

async function recoverDisturbed(
  dirty: Tree,
  expected: Tree,
  plan: readonly (readonly [number, Disturbance])[],
): Promise<Evidence> {
  const files = new MemoryFiles(dirty);
  const violations: string[] = [];
  for (const [at, how] of plan) {
    const disturbed = new DisturbedFiles(files, at, how);
    try {
      await openStorage(dataDirectory, { files: disturbed });
    } catch (error) {
      if (!isExpected(error)) violations.push(`${disturbed.disturbed}: ${how} gave ${error}`);
    }
  }
  await openStorage(dataDirectory, { files });
  const changed = storedDifferences(expected.below(dataDirectory), files.tree.below(dataDirectory));
  violations.push(...changed.map((path) => `${path}: not as an undisturbed recovery makes it`));
  return { violations };
}

/** An I/O error is told as such, and never as damage. */
function isExpected(error: unknown): boolean {
  if (error instanceof Killed || isSystemError(error)) return true;
  return error instanceof RepricerError && error.code !== 'JOURNAL_DAMAGED';
}
