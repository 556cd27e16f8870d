import { crc32 } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { openLedger } from '../support/ledger.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { readStore } from './checker/stored-files.ts';
import { Checker, type CheckResult, type StoreState } from './checker.ts';
import type { Operation, Write, WrittenReceipt } from './operation.ts';

/** A store and its history, which a test spoils. */
interface Scene {
  readonly files: Record<string, string>;
  operations: Operation[];
}

const first = 'results/date=2026-11-21/00000000000000000001.ndjson';
const second = 'results/date=2026-11-21/00000000000000000005.ndjson';
const productA = 'results_by_product/ca/a.ndjson';

test('a good store with a true history passes', async (t) => {
  const { files, operations } = await goodScene(t);

  const result = await check(t, { files, operations }, 'stopped');

  t.deepEqual(result, {
    records: 6,
    acknowledged: 6,
    unknown: 0,
    lost: 0,
    phantom: 0,
    violations: [],
  });
});

interface Spoilt {
  readonly title: string;
  readonly state?: StoreState;
  readonly spoil: (scene: Scene) => void;
  readonly found: RegExp;
}

const spoilt: readonly Spoilt[] = [
  {
    title: 'an acknowledged record that the journal does not have (I1)',
    spoil: ({ operations }) => operations.push(write(7, 'a', 4, '9.9', [700, 710])),
    found: /^lost: /,
  },
  {
    title: 'an acknowledged record with another version (I1)',
    spoil: (scene) => replaceOperation(scene, 2, write(3, 'a', 3, '3.5', [300, 310])),
    found: /^lost: /,
  },
  {
    title: 'a record whose previous price is not the one of its receipt (I1)',
    spoil: (scene) => tellReceipt(scene, 2, { previousPrice: '1.4' }),
    found: /^lost: /,
  },
  {
    title: 'a record whose time is not the one of its receipt (I1)',
    spoil: (scene) => tellReceipt(scene, 2, { timestamp: '2026-11-21T00:00:00.000009Z' }),
    found: /^lost: /,
  },
  {
    title: 'a gap in seq (I2)',
    spoil: ({ files }) => editLine(files, second, 1, ['"seq":6,"batch":6', '"seq":7,"batch":7']),
    found: /^seq 7 follows 5$/,
  },
  {
    title: 'a version that is there twice (I3)',
    spoil: ({ files }) => editLine(files, first, 2, ['"version":2', '"version":1']),
    found: /^seq 3: version 1 of a follows 1$/,
  },
  {
    title: 'a previous price that was not the price before (I3)',
    spoil: ({ files }) => editLine(files, first, 2, ['"previousPrice":1.5', '"previousPrice":1.4']),
    found: /^seq 3: previousPrice 1.4, before it 1.5$/,
  },
  {
    title: 'a timestamp that does not rise (I4)',
    spoil: ({ files }) => editLine(files, first, 1, [/T\d\d:/, 'T01:']),
    found: /^seq 2: \S+ is not after /,
  },
  {
    title: 'a record that nobody wrote (I5)',
    spoil: (scene) => {
      scene.operations = scene.operations.filter((_, index) => index !== 3);
    },
    found: /^nobody wrote, or was refused: /,
  },
  {
    title: 'a record of a refused write (I5)',
    spoil: (scene) =>
      replaceOperation(scene, 3, {
        ...write(4, 'b', 2, '4.5', [400, 410]),
        outcome: { kind: 'refused', status: 503 },
      }),
    found: /^nobody wrote, or was refused: /,
  },
  {
    title: 'one write that is recorded twice (I5)',
    spoil: ({ files }) => editLine(files, first, 2, ['"newPrice":3.5', '"newPrice":1.5']),
    found: /^recorded twice: /,
  },
  {
    title: 'a torn tail after recovery',
    state: 'recovered',
    spoil: ({ files }) => append(files, second, '{"seq":7,'),
    found: /ndjson: line 3 is not one of a whole batch$/,
  },
  {
    title: 'a sealed segment that is cut, also after a crash',
    state: 'crashed',
    spoil: ({ files }) => cut(files, first, 10),
    found: /ndjson: line 4 is not one of a whole batch$/,
  },
  {
    title: 'a wrong checksum',
    spoil: ({ files }) => replace(files, first, '1.5', '1.6'),
    found: /ndjson: line 1 is not one of a whole batch$/,
  },
  {
    title: 'a batch of which the last record is missing',
    spoil: ({ files }) => {
      editLine(files, second, 1, [',"crc"', ',"batchSize":2,"crc"']);
    },
    found: /ndjson: line 2 is not one of a whole batch$/,
  },
  {
    title: 'an open segment after a clean stop',
    spoil: ({ files }) => move(files, second, `${second}.open`),
    found: /open: not sealed after a clean stop$/,
  },
  {
    title: 'a product file that lacks a record (I6)',
    spoil: ({ files }) => {
      files[productA] = files[productA]?.replace(/[^\n]+\n$/, '') ?? '';
    },
    found: /a.ndjson: not its projection/,
  },
  {
    title: 'a product file without a record before the checkpoint, after a crash (I6)',
    state: 'crashed',
    spoil: ({ files }) => cut(files, productA, 3),
    found: /a.ndjson: not its projection/,
  },
  {
    title: 'a missing product file (I6)',
    spoil: ({ files }) => delete files[productA],
    found: /a.ndjson: missing$/,
  },
  {
    title: 'a product file of no product (I6)',
    spoil: ({ files }) => {
      files['results_by_product/00/z.ndjson'] = '';
    },
    found: /z.ndjson: of no product$/,
  },
  {
    title: 'a checkpoint past the end of the journal (I6)',
    spoil: ({ files }) => {
      files['checkpoint.json'] = summed('{"seq":7,"products":2');
    },
    found: /^checkpoint.json: at seq 7, the journal ends with 6$/,
  },
  {
    title: 'a checkpoint that is behind after a clean stop',
    spoil: ({ files }) => {
      files['checkpoint.json'] = summed('{"seq":5,"products":2');
    },
    found: /^checkpoint.json: at seq 5 after a clean stop/,
  },
  {
    title: 'a sealed segment whose sum is not the listed one (I7)',
    spoil: ({ files }) => {
      const lines = (files['manifest.ndjson'] ?? '').trimEnd().split('\n');
      const fields = lines[0]?.replace(/"sha256":"./, '"sha256":"x').replace(/,"crc.*/, '') ?? '';
      files['manifest.ndjson'] = [summed(fields), ...lines.slice(1), ''].join('\n');
    },
    found: /^manifest.ndjson: line 1 is /,
  },
  {
    title: 'a sealed segment that is not listed (I7)',
    spoil: ({ files }) => {
      files['manifest.ndjson'] = files['manifest.ndjson']?.replace(/[^\n]+\n$/, '') ?? '';
    },
    found: /^manifest.ndjson: 1 lines for 2 sealed segments$/,
  },
  {
    title: 'a read of an old version after a newer one was acknowledged (I9)',
    spoil: ({ operations }) => operations.push(read('a', 1, '1.5', [320, 330])),
    found: /^the write of version 2 of a ended before something older began$/,
  },
  {
    title: 'a read of a version before anybody wrote it (I9)',
    spoil: ({ operations }) => operations.push(read('a', 2, '3.5', [200, 210])),
    found: /^a read of version 2 of a ended before something older began$/,
  },
  {
    title: 'a read of a price that the version never had (I9)',
    spoil: ({ operations }) => operations.push(read('a', 2, '3.6', [320, 330])),
    found: /^version 2 of a was read as 3.6, it is 3.5$/,
  },
  {
    title: 'a read of a record that was never durable (I9)',
    spoil: ({ operations }) => operations.push(read('a', 9, '3.6', [720, 730])),
    found: /^version 9 of a was read as 3.6, it is undefined$/,
  },
  {
    title: 'seqs against the order in which writes came one after the other (I9)',
    spoil: (scene) => replaceOperation(scene, 0, write(1, 'a', 1, '1.5', [250, 260])),
    found: /^seq 2 was acknowledged before a lower one was asked for$/,
  },
];

for (const { title, state = 'stopped', spoil, found } of spoilt) {
  test(`the checker finds ${title}`, async (t) => {
    const scene = await goodScene(t);

    spoil(scene);

    const { violations } = await check(t, scene, state);
    t.true(
      violations.some((violation) => found.test(violation)),
      violations.join('\n'),
    );
  });
}

test('a record as its receipt told it passes', async (t) => {
  const scene = await goodScene(t);
  tellReceipt(scene, 2, {});

  const { lost } = await check(t, scene, 'stopped');

  t.is(lost, 0);
});

test('the record of a write whose answer was lost counts as one that took effect', async (t) => {
  const scene = await goodScene(t);

  replaceOperation(scene, 3, {
    ...write(4, 'b', 2, '4.5', [400, 410]),
    outcome: { kind: 'unknown' },
  });

  const { violations, unknown } = await check(t, scene, 'stopped');
  t.deepEqual([violations, unknown], [[], 1]);
});

test('a torn tail and an unsynced end of a product file are what a crash may leave', async (t) => {
  const scene = await goodScene(t);

  move(scene.files, second, `${second}.open`);
  append(scene.files, `${second}.open`, '{"seq":7,');
  append(scene.files, productA, '{"seq"');
  scene.files['manifest.ndjson'] =
    scene.files['manifest.ndjson']?.split('\n')[0]?.concat('\n') ?? '';

  const { violations } = await check(t, scene, 'crashed');
  t.deepEqual(violations, []);
});

/** Six records of two products, in segments of four and two, each write a hundred nanoseconds after the one before. */
async function goodScene(t: ExecutionContext): Promise<Scene> {
  const directory = await temporaryDirectory(t);
  const one = await openLedger(directory);
  for (const [product, price] of [
    ['a', '1.5'],
    ['b', '2.5'],
    ['a', '3.5'],
    ['b', '4.5'],
  ] as const) {
    await one.set(product, price);
  }
  await one.ledger.close();
  const two = await openLedger(directory);
  await two.set('a', '5.5');
  await two.set('b', '6.5');
  await two.ledger.close();
  const files = Object.fromEntries(
    [...(await readStore({ directory }))].map(([path, bytes]) => [path, bytes.toString('latin1')]),
  );
  const operations = [1, 2, 3, 4, 5, 6].map((seq) =>
    write(seq, seq % 2 === 1 ? 'a' : 'b', Math.ceil(seq / 2), `${seq}.5`, [
      seq * 100,
      seq * 100 + 10,
    ]),
  );
  return { files, operations };
}

async function check(t: ExecutionContext, scene: Scene, state: StoreState): Promise<CheckResult> {
  const checker = new Checker();
  t.teardown(() => checker.close());
  return checker.check({ store: { files: scene.files }, operations: scene.operations, state });
}

function write(
  seq: number,
  productId: string,
  version: number,
  price: string,
  [sent, done]: readonly [number, number],
): Write {
  const outcome = { kind: 'acknowledged', seq, version } as const;
  return { op: 'write', productId, price, sent: `${sent}`, done: `${done}`, outcome };
}

/** A receipt that says what the record in the journal says, but for what is given. */
function tellReceipt(scene: Scene, index: number, other: Partial<WrittenReceipt>): void {
  const told = scene.operations[index];
  if (told?.op !== 'write' || told.outcome.kind !== 'acknowledged')
    throw new Error('no such write');
  const line = scene.files[first]?.split('\n')[told.outcome.seq - 1] ?? '';
  const { timestamp } = JSON.parse(line) as WrittenReceipt;
  const previousPrice = /"previousPrice":([\d.]+)/.exec(line)?.[1] ?? null;
  const receipt = { previousPrice, timestamp, ...other };
  scene.operations[index] = { ...told, outcome: { ...told.outcome, receipt } };
}

function read(
  productId: string,
  version: number,
  price: string,
  [sent, done]: readonly [number, number],
): Operation {
  return { op: 'read', productId, version, price, sent: `${sent}`, done: `${done}` };
}

function replaceOperation(scene: Scene, index: number, operation: Operation): void {
  scene.operations[index] = operation;
}

/** Changes a line of a file and gives it the checksum of what it says now. */
function editLine(
  files: Record<string, string>,
  file: string,
  index: number,
  [from, to]: readonly [string | RegExp, string],
): void {
  const lines = (files[file] ?? '').split('\n');
  const fields = (lines[index] ?? '').replace(from, to).replace(/,"crc".*/, '');
  lines[index] = summed(fields).trimEnd();
  files[file] = lines.join('\n');
}

function summed(fields: string): string {
  return `${fields},"crc":"${crc32(fields).toString(16).padStart(8, '0')}"}\n`;
}

function append(files: Record<string, string>, file: string, text: string): void {
  files[file] = `${files[file]}${text}`;
}

function cut(files: Record<string, string>, file: string, bytes: number): void {
  files[file] = (files[file] ?? '').slice(0, -bytes);
}

function replace(files: Record<string, string>, file: string, from: string, to: string): void {
  files[file] = (files[file] ?? '').replace(from, to);
}

function move(files: Record<string, string>, from: string, to: string): void {
  files[to] = files[from] ?? '';
  delete files[from];
}
