import test from 'ava';
import { nodeFileSystem, type OpenFile } from '../../src/files/file-system.ts';
import { priceInForce } from '../../src/ledger/price-in-force.ts';
import { formatTimestamp, toTimestamp } from '../../src/model/timestamp.ts';
import { encodeCheckedLine } from '../../src/storage/checked-line.ts';
import { ProductFiles } from '../../src/storage/product-files.ts';
import { ProductRecords } from '../../src/storage/product-records.ts';
import { noon, productId } from '../support/records.ts';

const count = 1_000_000;
const microsApart = 1000;

test('the price at a moment, of a million records, is found with some fifty small reads', async (t) => {
  const file = new EndlessFile();
  const productFiles = new ProductFiles({ ...nodeFileSystem, open: async () => file }, 'nowhere');
  const onDamage = () => new Error('damaged');
  const records = new ProductRecords(productFiles, productId('a'), onDamage, count, []);

  for (const version of [1, 2, 345_678, count - 1, count]) {
    file.readLengths.length = 0;
    const found = await priceInForce(records, timeOf(version));

    t.is(found?.record.version, version);
    t.is(found?.validTo, version === count ? null : timeOf(version + 1));
    t.true(file.readLengths.length <= 64, `${file.readLengths.length} reads`);
    t.true(Math.max(...file.readLengths) <= 16_384, `${Math.max(...file.readLengths)} bytes`);
  }
});

test('slices that follow one another are searched for once', async (t) => {
  const file = new EndlessFile();
  const productFiles = new ProductFiles({ ...nodeFileSystem, open: async () => file }, 'nowhere');
  const onDamage = () => new Error('damaged');
  const records = new ProductRecords(productFiles, productId('a'), onDamage, count, []);
  await records.slice(500_000, 501_000);

  for (const start of [501_000, 502_000, 503_000]) {
    file.readLengths.length = 0;
    const slice = await records.slice(start, start + 1000);

    t.deepEqual([slice[0]?.version, slice.at(-1)?.version], [start + 1, start + 1000]);
    t.true(file.readLengths.length <= 4, `${file.readLengths.length} reads`);
  }
  t.is((await records.slice(7, 8))[0]?.version, 8);
});

/** A product file of a million lines of equal length, made up when they are read. */
class EndlessFile implements OpenFile {
  readonly fd = -1;
  readonly readLengths: number[] = [];
  readonly #lineBytes = lineOf(1).length;

  async read(target: Buffer, position: number): Promise<number> {
    this.readLengths.push(target.length);
    const first = Math.floor(position / this.#lineBytes);
    const end = Math.min(count, Math.ceil((position + target.length) / this.#lineBytes));
    const versions = Array.from({ length: end - first }, (_, index) => first + index + 1);
    const bytes = Buffer.from(versions.map(lineOf).join(''));
    return bytes.copy(target, 0, position - first * this.#lineBytes);
  }

  async stat() {
    return { bytes: count * this.#lineBytes, isFile: true, changedAtNs: 0n, modifiedAtNs: 0n };
  }

  async close(): Promise<void> {}

  write = () => Promise.reject(new Error('only read here'));
  datasync = () => Promise.reject(new Error('only read here'));
  truncate = () => Promise.reject(new Error('only read here'));
}

function timeOf(version: number) {
  return toTimestamp(noon + version * microsApart);
}

/** Leading zeros, and a first price as long as no price, make all lines equally long. */
function lineOf(version: number): string {
  const number = String(version).padStart(7, '0');
  return encodeCheckedLine(
    `{"seq":${number},"batch":${number},"productId":"a","version":${number},` +
      `"previousPrice":${version === 1 ? null : '1.50'},"newPrice":1.50,` +
      `"timestamp":"${formatTimestamp(timeOf(version))}"`,
  );
}
