import { crc32 } from 'node:zlib';
import { RepricerError } from '../../../src/errors.ts';
import { FastRandom } from '../../support/fast-random.ts';
import { openStorage } from '../../support/store.ts';
import { toStore } from '../checker/stored-files.ts';
import type { Checker } from '../checker.ts';
import type { Evidence, Fault } from '../fault.ts';
import { disagreements } from '../states/commands-agree.ts';
import { type StoreToDamage, storeToDamage } from '../states/damaged-stores.ts';
import { editTree } from '../states/edit-tree.ts';
import { dataDirectory } from '../states/history.ts';
import { MemoryFiles } from '../states/memory-files.ts';
import type { Tree } from '../states/tree.ts';

const trials = { quick: 20_000, soak: 200_000 };
/** Stores here are of a few kilobytes; a start that takes longer hangs. */
const startMsMax = 5000;
/** Start, verify and repair are compared on one in so many stores: that takes some starts more. */
const comparedEvery = 5;

export const fuzzedStores: Fault = {
  id: 'F23',
  title: 'recovery of files with random changes of bytes and lines, some with good checksums',
  needs: [],
  async run(run) {
    const { checker } = run;
    const seed = run.random.integer(2 ** 31);
    const random = new FastRandom(seed);
    const store = await storeToDamage();
    let started = 0;
    for (let trial = 0; trial < trials[run.size]; trial += 1) {
      const { tree, isForged } = fuzz(store, random);
      await run.trial(`trial ${trial} of seed ${seed}`, async () => {
        const { isStarted, violations = [] } = await startOnFuzz(checker, tree, isForged);
        if (isStarted) started += 1;
        return { violations };
      });
      // What was forged is good to all who read it, each in its own way.
      if (isForged || trial % comparedEvery > 0) continue;
      await run.trial(`start, verify and repair: trial ${trial} of seed ${seed}`, async () => ({
        violations: await disagreements(store, tree),
      }));
    }
    run.note(`seed ${seed}: ${started} of ${trials[run.size]} stores could be started on`);
  },
};

interface FuzzedStore {
  readonly tree: Tree;
  /** Whether a line was given another value and a checksum that is right: no fault does that, and no start can tell. */
  readonly isForged: boolean;
}

/** One to four changes, of one file each. */
function fuzz(store: StoreToDamage, random: FastRandom): FuzzedStore {
  const paths = [...store.tree.below(dataDirectory).keys()];
  let { tree } = store;
  let isForged = false;
  for (let change = 0; change <= random.integer(4); change += 1) {
    const path = random.pick(paths);
    const bytes = tree.below(dataDirectory).get(path);
    if (bytes === undefined) continue;
    const chosen = random.pick(changes);
    isForged ||= chosen === forgeField;
    // A checkpoint that is newer than the damage would vouch for it.
    const atNs = path === 'checkpoint.json' ? 0n : undefined;
    tree = editTree(tree, { [path]: chosen(bytes, random) }, atNs);
  }
  return { tree, isForged };
}

type Change = (bytes: Buffer, random: FastRandom) => Buffer | undefined;

const changes: readonly Change[] = [
  (bytes, random) => bytes.subarray(0, random.integer(bytes.length + 1)),
  (bytes, random) => Buffer.concat([bytes, noise(random, random.integer(3000))]),
  (bytes, random) => splice(bytes, random, noise(random, random.integer(40))),
  (bytes, random) => splice(bytes, random, Buffer.alloc(random.integer(600))),
  (bytes, random) => splice(bytes, random, Buffer.from('x'.repeat(random.integer(9000)))),
  (bytes, random) => splice(bytes, random, Buffer.from('['.repeat(random.integer(5000)))),
  (bytes, random) => onLines(bytes, (lines) => lines.toSpliced(random.integer(lines.length), 1)),
  (bytes, random) =>
    onLines(bytes, (lines) => {
      const at = random.integer(lines.length);
      return lines.toSpliced(at, 0, random.pick(lines));
    }),
  (bytes, random) => onLines(bytes, (lines) => lines.toSorted(() => random.integer(3) - 1)),
  forgeField,
  () => undefined,
  () => Buffer.alloc(0),
];

const oddValues = [
  '0',
  '-1',
  '1e9',
  '9007199254740993',
  '999999999999999',
  'null',
  '""',
  '1.5',
  '7',
];

/** Another value for a field, under a checksum that is right. */
function forgeField(bytes: Buffer, random: FastRandom): Buffer {
  return onLines(bytes, (lines) => {
    const at = random.integer(lines.length);
    const fields = (lines[at] ?? '').replace(/,"crc":"[0-9a-f]*"}$/, '').split(',');
    const chosen = random.integer(fields.length);
    const [name] = (fields[chosen] ?? '').split(':');
    fields[chosen] = `${name}:${random.pick(oddValues)}`;
    const text = fields.join(',');
    const sum = crc32(text).toString(16).padStart(8, '0');
    return lines.with(at, `${text},"crc":"${sum}"}`);
  });
}

function onLines(bytes: Buffer, change: (lines: readonly string[]) => readonly string[]): Buffer {
  const lines = bytes.toString('latin1').split('\n').slice(0, -1);
  if (lines.length === 0) return bytes;
  return Buffer.from(
    change(lines)
      .map((line) => `${line}\n`)
      .join(''),
    'latin1',
  );
}

function splice(bytes: Buffer, random: FastRandom, inserted: Buffer): Buffer {
  const at = random.integer(bytes.length + 1);
  const removed = random.integer(3) === 0 ? random.integer(bytes.length + 1 - at) : 0;
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)]);
}

function noise(random: FastRandom, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.integer(256)));
}

async function startOnFuzz(
  checker: Checker,
  tree: Tree,
  isForged: boolean,
): Promise<Evidence & { readonly isStarted: boolean }> {
  const files = new MemoryFiles(tree);
  let timer: NodeJS.Timeout | undefined;
  const hangs = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it hangs for ${startMsMax} ms`)), startMsMax);
  });
  try {
    const storage = await Promise.race([openStorage(dataDirectory, { files }), hangs]);
    const found = files.tree.below(dataDirectory);
    await storage.close();
    const store = toStore(found);
    const { violations } = await checker.check({ store, state: 'recovered' });
    // A product file that was changed is met by its reader, or by verify.
    return { isStarted: true, violations: isForged ? [] : violations.filter(isOfJournal) };
  } catch (error) {
    if (!(error instanceof RepricerError)) throw error;
    const isExpected = error.code === 'JOURNAL_DAMAGED' || isForged;
    return { isStarted: false, violations: isExpected ? [] : [`${error.code}: ${error.message}`] };
  } finally {
    clearTimeout(timer);
  }
}

function isOfJournal(violation: string): boolean {
  return !violation.startsWith('results_by_product/');
}
