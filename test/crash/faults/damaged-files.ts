import { RepricerError } from '../../../src/errors.ts';
import { checkpointFile } from '../../../src/storage/checkpoint.ts';
import { manifestFile } from '../../../src/storage/manifest.ts';
import { verifyStore } from '../../../src/storage/verify.ts';
import { FastRandom } from '../../support/fast-random.ts';
import { openStorage } from '../../support/store.ts';
import type { Checker } from '../checker.ts';
import type { Evidence, Fault, FaultRun } from '../fault.ts';
import type { Operation } from '../operation.ts';
import { disagreements, refusalOf } from '../states/commands-agree.ts';
import { type StoreToDamage, storeToDamage } from '../states/damaged-stores.ts';
import { editTree } from '../states/edit-tree.ts';
import { examine } from '../states/examine.ts';
import { dataDirectory } from '../states/history.ts';
import { MemoryFiles } from '../states/memory-files.ts';
import type { Tree } from '../states/tree.ts';

const trialsPerKind = { quick: 60, soak: 500 };

/** `refuse`: the start must refuse. `start`: it must not. `mend`: it may refuse or make everything whole again. */
interface Expected {
  readonly expected: 'refuse' | 'start' | 'mend';
  /** From this seq on nothing is left that tells of what was acknowledged. */
  readonly untoldFrom?: (store: StoreToDamage) => number;
}

interface Kind extends Expected {
  readonly name: string;
  readonly files: (store: StoreToDamage) => readonly string[];
  /** Which of the bytes may be damaged, or be missing in an old version: from … to. */
  readonly range?: (store: StoreToDamage) => readonly [number, number];
  readonly damages: readonly DamageName[];
}

const toBytes = ['flip', 'flip', 'flip', 'zeros', 'chunk'] as const;
const toFiles = ['empty', 'delete', 'swap', 'double', 'old'] as const;
type DamageName = (typeof toBytes)[number] | (typeof toFiles)[number];
const all = [...toBytes, ...toFiles];

const belowLastBatch = ({ lastBatches }: StoreToDamage) =>
  [0, lastBatches[0]?.offset ?? 0] as const;
const lastBatch = ({ lastBatches }: StoreToDamage) =>
  [lastBatches[0]?.offset ?? 0, Number.POSITIVE_INFINITY] as const;
const told = ({ firstUntold }: StoreToDamage) => [0, firstUntold.offset] as const;
const untold = ({ firstUntold }: StoreToDamage) =>
  [firstUntold.offset, Number.POSITIVE_INFINITY] as const;
const lastBatchSeq = ({ lastBatches }: StoreToDamage) => lastBatches[0]?.seq ?? 0;
const openSeq = ({ lastBatches }: StoreToDamage) => lastBatches.at(-1)?.seq ?? 0;

/**
 * Product files and the checkpoint are made from the journal, so none of their damages keeps a start
 * from a whole journal. Records that are missing at the journal's end are told of by the
 * checkpoint and by product files, as far as those have come.
 */
const kinds: readonly Kind[] = [
  { name: 'sealed segment', files: ({ sealed }) => sealed, damages: all, expected: 'refuse' },
  {
    name: 'open segment below its last batch',
    files: ({ open }) => [open],
    range: belowLastBatch,
    damages: toBytes,
    expected: 'refuse',
  },
  {
    name: 'last batch',
    files: ({ open }) => [open],
    range: lastBatch,
    damages: toBytes,
    expected: 'mend',
    untoldFrom: lastBatchSeq,
  },
  {
    name: 'open segment as a whole',
    files: ({ open }) => [open],
    range: told,
    damages: ['empty', 'delete', 'swap', 'old'],
    expected: 'refuse',
  },
  {
    name: 'open segment without lines past the checkpoint',
    files: ({ open }) => [open],
    range: untold,
    damages: ['old'],
    expected: 'start',
    untoldFrom: ({ firstUntold }) => firstUntold.seq,
  },
  { name: 'product file', files: ({ products }) => products, damages: all, expected: 'start' },
  { name: 'checkpoint', files: () => [checkpointFile], damages: all, expected: 'start' },
  { name: 'manifest', files: () => [manifestFile], damages: all, expected: 'mend' },
];

interface Combination extends Expected {
  readonly name: string;
  readonly gone: (store: StoreToDamage) => readonly (string | undefined)[];
}

const combinations: readonly Combination[] = [
  {
    name: 'checkpoint and first sealed segment',
    gone: ({ sealed }) => [checkpointFile, sealed[0]],
    expected: 'refuse',
  },
  {
    name: 'checkpoint and last sealed segment',
    gone: ({ sealed }) => [checkpointFile, sealed.at(-1)],
    expected: 'refuse',
  },
  {
    name: 'checkpoint and open segment',
    gone: ({ open }) => [checkpointFile, open],
    expected: 'refuse',
  },
  {
    name: 'manifest and last sealed segment',
    gone: ({ sealed }) => [manifestFile, sealed.at(-1)],
    expected: 'refuse',
  },
  {
    name: 'manifest, last sealed and open segment',
    gone: ({ sealed, open }) => [manifestFile, sealed.at(-1), open],
    expected: 'refuse',
  },
  {
    name: 'manifest and all segments',
    gone: ({ sealed, open }) => [manifestFile, ...sealed, open],
    expected: 'refuse',
  },
  {
    name: 'manifest and checkpoint',
    gone: () => [manifestFile, checkpointFile],
    expected: 'start',
  },
  {
    name: 'checkpoint and product files',
    gone: ({ products }) => [checkpointFile, ...products],
    expected: 'start',
  },
  {
    name: 'manifest, checkpoint and product files',
    gone: ({ products }) => [manifestFile, checkpointFile, ...products],
    expected: 'start',
  },
  {
    name: 'open segment and product files',
    gone: ({ open, products }) => [open, ...products],
    expected: 'refuse',
  },
  {
    name: 'open segment and all that tells of it',
    gone: ({ open, products }) => [open, checkpointFile, ...products],
    expected: 'start',
    untoldFrom: openSeq,
  },
  {
    name: 'every file',
    gone: ({ tree }) => [...tree.below(dataDirectory).keys()],
    expected: 'start',
    untoldFrom: () => 0,
  },
];

export const damagedFiles: Fault = {
  id: 'F13',
  title:
    'flipped bits, zeroed sectors, copied chunks, files emptied, deleted, swapped, doubled, old',
  needs: [],
  async run(run) {
    const random = new FastRandom(run.random.integer(2 ** 31));
    const store = await storeToDamage();
    for (const kind of kinds) {
      for (let trial = 0; trial < trialsPerKind[run.size]; trial += 1) {
        const [name, changes] = damage(store, kind, random);
        await tryDamage(run, store, `${kind.name}, ${name}, ${trial}`, kind, changes);
      }
    }
    for (const combination of combinations) {
      const changes: Record<string, undefined> = {};
      for (const path of combination.gone(store)) changes[path ?? ''] = undefined;
      await tryDamage(run, store, `gone: ${combination.name}`, combination, changes);
    }
    for (let trial = 0; trial < trialsPerKind[run.size]; trial += 1) {
      await run.trial(`rot under a sealed segment, ${trial}`, () => rotUnseen(store, random));
    }
  },
};

type Changes = Readonly<Record<string, Buffer | undefined>>;

async function tryDamage(
  run: FaultRun,
  store: StoreToDamage,
  name: string,
  expected: Expected,
  changes: Changes,
): Promise<void> {
  const tree = editTree(store.tree, changes);
  await run.trial(name, () => startOnDamage(run.checker, store, expected, tree));
  await run.trial(`start, verify and repair: ${name}`, async () => ({
    violations: await disagreements(store, tree),
  }));
}

/** Some damage to a file of the kind that does change something. */
function damage(store: StoreToDamage, kind: Kind, random: FastRandom): readonly [string, Changes] {
  const files = store.tree.below(dataDirectory);
  const bytesOf = (path: string) => files.get(path) ?? Buffer.alloc(0);
  for (;;) {
    const path = random.pick(kind.files(store));
    const [name, changes] = damageFile(path, bytesOf, kind, store, random);
    const isChange = Object.entries(changes).some(
      ([changed, bytes]) => bytes === undefined || !bytes.equals(bytesOf(changed)),
    );
    if (isChange) return [`${name} in ${path}`, changes];
  }
}

function damageFile(
  path: string,
  bytesOf: (path: string) => Buffer,
  { range, files, damages }: Kind,
  store: StoreToDamage,
  random: FastRandom,
): readonly [string, Changes] {
  const bytes = bytesOf(path);
  const [from, end] = range?.(store) ?? [0, bytes.length];
  const to = Math.min(end, bytes.length);
  const at = from + random.integer(to - from);
  const changed = Buffer.from(bytes);
  const kind = random.pick(damages);
  const other = random.pick(path === store.open ? store.sealed : files(store));
  if (kind === 'flip') changed[at] = (changed[at] ?? 0) ^ (1 << random.integer(8));
  if (kind === 'zeros') changed.fill(0, at, Math.min(at + 512, to));
  if (kind === 'chunk') bytes.copy(changed, at, from, from + Math.min(64, to - at));
  if (kind === 'empty') return [kind, { [path]: Buffer.alloc(0) }];
  if (kind === 'delete') return [kind, { [path]: undefined }];
  if (kind === 'swap') return [kind, { [path]: bytesOf(other), [other]: bytes }];
  if (kind === 'double') return [kind, { [doubled(path)]: bytes }];
  if (kind === 'old') return [kind, { [path]: olderVersion(bytes, from, to, random) }];
  return [`${kind} at ${at}`, { [path]: changed }];
}

/** The name of a copy that a tool would read as if it belonged there. */
function doubled(path: string): string {
  return path.replace(/(\d{19})\d(\.ndjson.*)$/, '$19$2').replace(/([a-z])(\.json)$/, '$1-copy$2');
}

/** What the file was before lines that begin between `from` and `to` came. */
function olderVersion(bytes: Buffer, from: number, to: number, random: FastRandom): Buffer {
  const starts = [0];
  for (const [at, byte] of bytes.entries()) if (byte === newline) starts.push(at + 1);
  const ends = starts.filter((start) => from <= start && start < to);
  return bytes.subarray(0, random.pick(ends));
}

const newline = 0x0a;

async function startOnDamage(
  checker: Checker,
  store: StoreToDamage,
  { expected, untoldFrom }: Expected,
  tree: Tree,
): Promise<Evidence> {
  const files = new MemoryFiles(tree);
  const refusal = await refusalOf(files);
  if (refusal !== undefined && expected === 'start') {
    return { violations: [`refused: ${refusal.message}`] };
  }
  if (refusal !== undefined) return refusedRightly(refusal, files);
  if (expected === 'refuse') return { violations: ['it started on a damaged journal'] };
  const seq = untoldFrom?.(store) ?? Number.POSITIVE_INFINITY;
  const operations = store.operations.map((operation) => withoutAnswer(operation, seq));
  return examine(checker, tree, operations, { mayBeRebuilt: true });
}

function refusedRightly(refusal: RepricerError, { effects }: MemoryFiles): Evidence {
  const isNamed = /\S+, offset \d+, seq \d+: /.test(refusal.message);
  return {
    violations: [
      ...(refusal.code === 'JOURNAL_DAMAGED' ? [] : [`refused with ${refusal.code}`]),
      ...(isNamed ? [] : [`no file, offset and seq in "${refusal.message}"`]),
      ...(effects.length === 0 ? [] : [`refused, but changed: ${effects.map(({ kind }) => kind)}`]),
    ],
  };
}

/** As if nobody had been told of what has this seq or a later one. */
function withoutAnswer(operation: Operation, untoldFrom: number): Operation {
  if (operation.op === 'read' || operation.outcome.kind !== 'acknowledged') return operation;
  const isUntold = operation.outcome.seq >= untoldFrom;
  return isUntold ? { ...operation, outcome: { kind: 'unknown' } } : operation;
}

/**
 * A bit of a sealed segment that the disk lost without anybody's writing: a start does not read it, but
 * `verify` finds it, and no reader is ever given the line.
 */
async function rotUnseen(store: StoreToDamage, random: FastRandom): Promise<Evidence> {
  const path = random.pick(store.sealed);
  const tree = store.tree.copy();
  const file = tree.fileAt(`${dataDirectory}/${path}`);
  const old = file === undefined ? undefined : tree.files.get(file);
  if (file === undefined || old === undefined) throw new Error(`${path} is missing`);
  const bytes = Buffer.from(old.bytes);
  const at = random.integer(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(8));
  tree.files.set(file, { ...old, bytes });

  const { damageCount } = await verifyStore(new MemoryFiles(tree), dataDirectory);
  const storage = await openStorage(dataDirectory, { files: new MemoryFiles(tree) });
  const records = await storage.allRecords();
  const isServed = await records.slice(0, records.length).then(
    () => true,
    (error: unknown) => {
      if (error instanceof RepricerError) return false;
      throw error;
    },
  );
  await storage.close();
  return {
    violations: [
      ...(damageCount > 0 ? [] : [`verify does not see the flipped bit at ${at} of ${path}`]),
      ...(isServed ? [`the flipped bit at ${at} of ${path} is served`] : []),
    ],
  };
}
