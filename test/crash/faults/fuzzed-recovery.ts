import { RepricerError } from '../../../src/errors.ts';
import { verifyStore } from '../../../src/storage/verify.ts';
import { FastRandom } from '../../support/fast-random.ts';
import { openStorage } from '../../support/store.ts';
import { readRecord } from '../checker/stored-record.ts';
import type { Evidence, Fault } from '../fault.ts';
import { dataDirectory, History } from '../states/history.ts';
import { MemoryFiles } from '../states/memory-files.ts';
import { storedDifferences } from '../states/stored-differences.ts';
import type { Tree } from '../states/tree.ts';

const trials = { quick: 20_000, soak: 200_000 };

export const fuzzedRecovery: Fault = {
  id: 'F23',
  title: 'files of random bytes, and files mutated at random',
  needs: [],
  async run(run) {
    const seed = run.random.integer(2 ** 31);
    run.note(`F23 seed ${seed}`);
    const random = new FastRandom(seed);
    const trees = await stores();
    for (let trial = 1; trial <= trials[run.size]; trial += 1) {
      const fuzzed = fuzz(random.pick(trees), random);
      await run.trial(`input ${trial}`, () => startOn(fuzzed));
    }
  },
};

/** A store at several moments, that of a clean stop among them. */
async function stores(): Promise<readonly Tree[]> {
  const history = new History();
  await history.start();
  await history.write('a', 'b');
  await history.write('a', 'c', 'a');
  await history.checkpointed();
  await history.write('b', 'd', 'b');
  await history.write('a', 'e');
  const killed = history.files.tree.copy();
  await history.stop();
  return [killed, history.files.tree.copy()];
}

type Mutation = (bytes: Buffer, random: FastRandom, other: Buffer) => Buffer;

const newline = Buffer.from('\n');

const mutations: readonly Mutation[] = [
  (_bytes, random) => randomBytes(random.integer(3000), random),
  (bytes, random) => splice(bytes, random, randomBytes(random.integer(40), random)),
  (bytes, random) => bytes.subarray(0, random.integer(bytes.length + 1)),
  (bytes, random, other) => splice(bytes, random, other.subarray(random.integer(other.length + 1))),
  (bytes, random) => withLines(bytes, (lines) => [...lines, random.pick(lines)]),
  (bytes, random) => withLines(bytes, (lines) => lines.filter(() => !random.isOneIn(4))),
  (bytes, random) => withLines(bytes, (lines) => lines.sort(() => random.integer(3) - 1)),
  (bytes, random) => splice(bytes, random, Buffer.alloc(random.integer(20_000), 'x')),
  (bytes, random) => splice(bytes, random, Buffer.from('[{"a":'.repeat(2000))),
  (bytes, random) => splice(bytes, random, Buffer.from([0xc3, 0x28, 0xff, 0x00])),
  (bytes, random) => splice(bytes, random, Buffer.concat(Array(50).fill(newline))),
  (bytes, random) => withNumber(bytes, random.pick(['9'.repeat(400), '-1', '1e999', '0', '2'])),
];

/** One to three files changed, as a program did that: with times later than all others. */
function fuzz(tree: Tree, random: FastRandom): Tree {
  const fuzzed = tree.copy();
  const numbers = [...fuzzed.names.values()].flatMap((entry) =>
    'file' in entry ? [entry.file] : [],
  );
  for (let count = 1 + random.integer(3); count > 0; count -= 1) {
    const number = random.pick(numbers);
    const bytesOf = (file: number) => fuzzed.files.get(file)?.bytes ?? Buffer.alloc(0);
    const other = bytesOf(random.pick(numbers));
    const bytes = random.pick(mutations)(bytesOf(number), random, other);
    // A checkpoint that was only touched would vouch for what changed before; no disk does that.
    if (bytes.equals(bytesOf(number))) continue;
    fuzzed.files.set(number, { bytes, changedAtNs: later, modifiedAtNs: later });
  }
  return fuzzed;
}

const later = 1_000_000n;

function randomBytes(length: number, random: FastRandom): Buffer {
  return Buffer.from(Array.from({ length }, () => random.integer(256)));
}

/** Puts bytes in the place of a few others. */
function splice(bytes: Buffer, random: FastRandom, piece: Buffer): Buffer {
  const at = random.integer(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + random.integer(40))]);
}

function withLines(bytes: Buffer, change: (lines: string[]) => string[]): Buffer {
  const lines = bytes.toString('latin1').split(/(?<=\n)/);
  return Buffer.from(change(lines).join(''), 'latin1');
}

function withNumber(bytes: Buffer, number: string): Buffer {
  return Buffer.from(bytes.toString('latin1').replace(/:\d+/, `:${number}`), 'latin1');
}

const hangsMs = 10_000;

/** It starts or says what is damaged, in bounded time, and the journal that it serves has only good lines. */
async function startOn(fuzzed: Tree): Promise<Evidence> {
  const files = new MemoryFiles(fuzzed);
  const violations: string[] = [];
  const work = async () => {
    await verifyStore(files, dataDirectory);
    violations.push(...changedBy('verify', fuzzed, files));
    violations.push(...(await recovered(files, fuzzed)));
  };
  let timer: NodeJS.Timeout | undefined;
  const hangs = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      violations.push(`not done after ${hangsMs} ms`);
      resolve();
    }, hangsMs);
  });
  await Promise.race([work(), hangs]).finally(() => clearTimeout(timer));
  return { violations };
}

async function recovered(files: MemoryFiles, fuzzed: Tree): Promise<readonly string[]> {
  try {
    const storage = await openStorage(dataDirectory, { files });
    const bad = badLines(files);
    await storage.close();
    return bad;
  } catch (error) {
    if (!(error instanceof RepricerError)) throw error;
    if (error.code !== 'JOURNAL_DAMAGED') return [`it gave ${error}`];
    return changedBy('a refused start', fuzzed, files);
  }
}

function changedBy(who: string, fuzzed: Tree, files: MemoryFiles): readonly string[] {
  const [before, after] = [fuzzed, files.tree].map((tree) => tree.below(dataDirectory));
  return storedDifferences(before ?? new Map(), after ?? new Map()).map(
    (path) => `${path}: ${who} changed it`,
  );
}

/** Lines of segments that are none, or have a wrong checksum; a start that reads them must refuse. */
function badLines(files: MemoryFiles): readonly string[] {
  const segments = [...files.tree.below(dataDirectory)].filter(
    ([path]) => path.startsWith('results/') && path.endsWith('.ndjson'),
  );
  return segments.flatMap(([path, bytes]) =>
    bytes
      .toString()
      .split('\n')
      .slice(0, -1)
      .filter((line) => readRecord(line) === undefined)
      .map((line) => `${path} was accepted with ${line.slice(0, 80)}`),
  );
}
