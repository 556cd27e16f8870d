import { RepricerError } from '../../../src/errors.ts';
import { verifyStore } from '../../../src/storage/verify.ts';
import { FastRandom } from '../../support/fast-random.ts';
import { openStorage } from '../../support/store.ts';
import type { Checker } from '../checker.ts';
import type { Evidence, Fault } from '../fault.ts';
import type { Operation } from '../operation.ts';
import { disagreements, refusalOf } from '../states/commands-agree.ts';
import { type StoreToDamage, storeToDamage } from '../states/damaged-stores.ts';
import { editTree } from '../states/edit-tree.ts';
import { examine } from '../states/examine.ts';
import { dataDirectory } from '../states/history.ts';
import { MemoryFiles } from '../states/memory-files.ts';
import type { Tree } from '../states/tree.ts';

const trialsPerKind = { quick: 60, soak: 500 };

/**
 * `refuse`: the start must refuse. `mend`: it may refuse or make everything whole again. `lose the last
 * batch`: as `mend`, but the last batch cannot be told from a torn tail.
 */
interface Kind {
  readonly name: string;
  readonly files: (store: StoreToDamage) => readonly string[];
  /** Which of the bytes may be damaged: from … to. */
  readonly range?: (store: StoreToDamage) => readonly [number, number];
  readonly expected: 'refuse' | 'mend' | 'lose the last batch';
}

const kinds: readonly Kind[] = [
  { name: 'sealed segment', files: ({ sealed }) => sealed, expected: 'refuse' },
  {
    name: 'open segment below its last batch',
    files: ({ open }) => [open],
    range: ({ lastBatches }) => [0, lastBatches[0]?.offset ?? 0],
    expected: 'refuse',
  },
  {
    name: 'last batch',
    files: ({ open }) => [open],
    range: ({ lastBatches }) => [lastBatches[0]?.offset ?? 0, Number.POSITIVE_INFINITY],
    expected: 'lose the last batch',
  },
  { name: 'product file', files: ({ products }) => products, expected: 'mend' },
  { name: 'checkpoint', files: () => ['checkpoint.json'], expected: 'mend' },
  { name: 'manifest', files: () => ['manifest.ndjson'], expected: 'mend' },
];

export const damagedFiles: Fault = {
  id: 'F13',
  title:
    'flipped bits, zeroed sectors, copied chunks, files emptied, deleted, swapped, doubled, old',
  needs: [],
  async run(run) {
    const { checker } = run;
    const random = new FastRandom(run.random.integer(2 ** 31));
    const store = await storeToDamage();
    for (const kind of kinds) {
      for (let trial = 0; trial < trialsPerKind[run.size]; trial += 1) {
        const [name, changes] = damage(store, kind, random);
        const tree = editTree(store.tree, changes);
        await run.trial(`${kind.name}, ${name}, ${trial}`, () =>
          startOnDamage(checker, store, kind, tree),
        );
        await run.trial(`start, verify and repair: ${kind.name}, ${name}, ${trial}`, async () => ({
          violations: await disagreements(store, tree),
        }));
      }
    }
    for (let trial = 0; trial < trialsPerKind[run.size]; trial += 1) {
      await run.trial(`rot under a sealed segment, ${trial}`, () => rotUnseen(store, random));
    }
  },
};

type Changes = Readonly<Record<string, Buffer | undefined>>;

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
  { range, files }: Kind,
  store: StoreToDamage,
  random: FastRandom,
): readonly [string, Changes] {
  const bytes = bytesOf(path);
  const [from, end] = range?.(store) ?? [0, bytes.length];
  const to = Math.min(end, bytes.length);
  const at = from + random.integer(to - from);
  const changed = Buffer.from(bytes);
  const kinds = [
    'flip',
    'flip',
    'flip',
    'zeros',
    'chunk',
    'empty',
    'delete',
    'swap',
    'double',
    'old',
  ];
  const kind = range === undefined ? random.pick(kinds) : random.pick(kinds.slice(0, 5));
  const other = random.pick(files(store));
  if (kind === 'flip') changed[at] = (changed[at] ?? 0) ^ (1 << random.integer(8));
  if (kind === 'zeros') changed.fill(0, at, Math.min(at + 512, to));
  if (kind === 'chunk') bytes.copy(changed, at, from, from + Math.min(64, to - at));
  if (kind === 'empty') return [kind, { [path]: Buffer.alloc(0) }];
  if (kind === 'delete') return [kind, { [path]: undefined }];
  if (kind === 'swap') return [kind, { [path]: bytesOf(other), [other]: bytes }];
  if (kind === 'double') return [kind, { [doubled(path)]: bytes }];
  if (kind === 'old') return [kind, { [path]: olderVersion(bytes, random) }];
  return [`${kind} at ${at}`, { [path]: changed }];
}

/** The name of a copy that a tool would read as if it belonged there. */
function doubled(path: string): string {
  return path.replace(/(\d{19})\d(\.ndjson.*)$/, '$19$2').replace(/([a-z])(\.json)$/, '$1-copy$2');
}

function olderVersion(bytes: Buffer, random: FastRandom): Buffer {
  const lines = bytes.toString('latin1').split('\n').slice(0, -1);
  const kept = lines.slice(0, random.integer(Math.max(1, lines.length)));
  return Buffer.from(kept.map((line) => `${line}\n`).join(''), 'latin1');
}

async function startOnDamage(
  checker: Checker,
  store: StoreToDamage,
  { expected }: Kind,
  tree: Tree,
): Promise<Evidence> {
  const files = new MemoryFiles(tree);
  const refusal = await refusalOf(files);
  if (refusal !== undefined) return refusedRightly(refusal, files);
  if (expected === 'refuse') return { violations: ['it started on a damaged journal'] };
  const operations =
    expected === 'mend'
      ? store.operations
      : store.operations.map((one) => lastAsUnknown(one, store));
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

/** As if nobody had been told of the last batch. */
function lastAsUnknown(operation: Operation, { lastBatches }: StoreToDamage): Operation {
  if (operation.op === 'read' || operation.outcome.kind !== 'acknowledged') return operation;
  const isLast = operation.outcome.seq >= (lastBatches[0]?.seq ?? 0);
  return isLast ? { ...operation, outcome: { kind: 'unknown' } } : operation;
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
