import { appendFile, cp, readFile, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { nodeFileSystem } from '../../src/files/file-system.ts';
import { encodeCheckedLine } from '../../src/storage/checked-line.ts';
import { readManifest, replaceManifest } from '../../src/storage/manifest.ts';
import { productFile } from '../../src/storage/product-file.ts';
import { encodeRecord } from '../../src/storage/record.ts';
import { verifyStore } from '../../src/storage/verify.ts';
import { encodeAll, price, productId, RecordSource } from '../support/records.ts';
import { checkCleanStore, openStorage } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const source = new RecordSource();
const batches = [source.batch('a', 'b'), source.batch('a'), source.batch('b', 'a')];
const records = batches.flat();
const lines = records.map(encodeRecord);
const segment = 'results/date=2026-11-21/00000000000000000001.ndjson';
const fileOfA = productFile(productId('a'));
const fileOfB = productFile(productId('b'));
const [first = '', second = '', third = '', fourth = '', fifth = ''] = lines;

interface Case {
  readonly fault: string;
  readonly damage: (directory: string) => Promise<void>;
  /** File, offset and seq of the first damage that has to be named. */
  readonly named: { readonly file: string; readonly offset: number; readonly seq: number };
}

const cases: readonly Case[] = [
  {
    fault: 'a bit flipped in a sealed segment',
    damage: (directory) => flipBit(join(directory, segment), first.length + 30),
    named: { file: segment, offset: first.length, seq: 2 },
  },
  {
    fault: 'a manifest that counts keys where there are none',
    damage: async (directory) => {
      const { segments } = await readManifest(nodeFileSystem, directory);
      const changed = segments.map((one) => ({ ...one, keyedRows: 1 }));
      await replaceManifest(nodeFileSystem, directory, changed);
    },
    named: { file: segment, offset: 0, seq: 1 },
  },
  {
    fault: 'a line missing from a sealed segment',
    damage: (directory) => write(directory, segment, [first, second, fourth, fifth]),
    named: { file: segment, offset: first.length + second.length, seq: 3 },
  },
  {
    fault: 'two lines of a sealed segment exchanged',
    damage: (directory) => write(directory, segment, [first, second, third, fifth, fourth]),
    named: { file: segment, offset: first.length + second.length + third.length, seq: 4 },
  },
  {
    fault: 'a timestamp that does not increase',
    damage: (directory) => {
      const [record] = records.slice(4);
      const early =
        record && encodeRecord({ ...record, timestamp: records[0]?.timestamp ?? record.timestamp });
      return write(directory, segment, [first, second, third, fourth, early ?? '']);
    },
    named: { file: segment, offset: encodeAll(records.slice(0, 4)).length, seq: 5 },
  },
  {
    fault: 'a sealed segment that ends within a batch',
    damage: (directory) => write(directory, segment, [first, second, third, fourth]),
    named: { file: segment, offset: encodeAll(records.slice(0, 4)).length, seq: 5 },
  },
  {
    fault: 'a sealed segment with another content than was sealed, good in itself',
    damage: (directory) => {
      const [record] = records.slice(2);
      const other = record && encodeRecord({ ...record, newPrice: price('9.99') });
      return write(directory, segment, [first, second, other ?? '', fourth, fifth]);
    },
    named: { file: segment, offset: 0, seq: 1 },
  },
  {
    fault: 'a sealed segment that is missing',
    damage: (directory) => unlink(join(directory, segment)),
    named: { file: segment, offset: 0, seq: 1 },
  },
  {
    fault: 'a bit flipped in a product file',
    damage: (directory) => flipBit(join(directory, fileOfA), 30),
    named: { file: fileOfA, offset: 0, seq: 0 },
  },
  {
    fault: 'a product file without its last record',
    damage: (directory) => truncate(join(directory, fileOfA), first.length + third.length),
    named: { file: fileOfA, offset: 0, seq: 5 },
  },
  {
    fault: 'a product file with a part of its last record',
    damage: (directory) => truncate(join(directory, fileOfA), first.length + third.length + 9),
    named: { file: fileOfA, offset: first.length + third.length, seq: 3 },
  },
  {
    fault: 'a product file with a record twice',
    damage: (directory) => appendFile(join(directory, fileOfA), fifth),
    named: { file: fileOfA, offset: first.length + third.length + fifth.length, seq: 5 },
  },
  {
    fault: "a product file with another product's content",
    damage: (directory) => cp(join(directory, fileOfB), join(directory, fileOfA)),
    named: { file: fileOfA, offset: 0, seq: 2 },
  },
  {
    fault: 'a product file that is missing',
    damage: (directory) => unlink(join(directory, fileOfB)),
    named: { file: fileOfB, offset: 0, seq: 2 },
  },
  {
    fault: 'a previousPrice that is not the price before',
    damage: (directory) => {
      const [record] = records.slice(2);
      const wrong = record && encodeRecord({ ...record, previousPrice: price('7.77') });
      return write(directory, fileOfA, [first, wrong ?? '', fifth]);
    },
    named: { file: fileOfA, offset: first.length, seq: 3 },
  },
  {
    fault: 'a checkpoint with a bit flipped',
    damage: (directory) => flipBit(join(directory, 'checkpoint.json'), 7),
    named: { file: 'checkpoint.json', offset: 0, seq: 0 },
  },
  {
    fault: 'a checkpoint past the end of the journal',
    damage: (directory) =>
      writeFile(join(directory, 'checkpoint.json'), encodeCheckedLine('{"seq":7,"products":2')),
    named: { file: 'checkpoint.json', offset: 0, seq: 7 },
  },
];

for (const { fault, damage, named } of cases) {
  test(`verify finds ${fault} and names file, offset and seq`, async (t) => {
    const directory = await closedDirectory(t);
    await damage(directory);

    const { damages, damageCount } = await verifyStore(nodeFileSystem, directory);

    t.true(damageCount > 0);
    t.like(damages[0], named);
  });
}

test('verify finds nothing wrong with a store that was stopped, and counts what it holds', async (t) => {
  const directory = await closedDirectory(t);

  const report = await checkCleanStore(t, directory);

  t.like(report, { records: 5, products: 2, segments: 1, checkpointSeq: 5 });
  t.is(report.journalBytes, encodeAll(records).length);
  t.is(report.lastTimestamp, records.at(-1)?.timestamp);
});

test('verify finds nothing wrong with an empty directory', async (t) => {
  t.like(await checkCleanStore(t, await temporaryDirectory(t)), { records: 0, products: 0 });
});

async function closedDirectory(t: ExecutionContext): Promise<string> {
  const directory = await temporaryDirectory(t);
  const storage = await openStorage(directory);
  for (const batch of batches) await storage.append(batch);
  await storage.close();
  return directory;
}

function write(directory: string, file: string, content: readonly string[]): Promise<void> {
  return writeFile(join(directory, file), content.join(''));
}

async function flipBit(path: string, offset: number): Promise<void> {
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset);
  await writeFile(path, bytes);
}
