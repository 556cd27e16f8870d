import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { RepricerError } from '../../src/errors.ts';
import { PriceReads, readsInParallelMax } from '../../src/ledger/price-reads.ts';
import type { PriceRecord } from '../../src/model/price-record.ts';
import type { ProductId } from '../../src/model/product-id.ts';
import { productId, RecordSource } from '../support/records.ts';

const ids = ['a', 'b', 'c', 'd', 'e', 'f'].map(productId);
const longMs = 60_000;

test('nobody waits longer than waitMs', async (t) => {
  const disk = new HeldDisk();
  const reads = new PriceReads();

  for (const waitMs of [0, 1, 45, 200]) {
    const reading = reads.read(ids, disk.read, waitMs);
    const late = sleep(waitMs + 3).then(() => 'late');

    const answer = await Promise.race([reading, late]);

    t.deepEqual(answer, new Map());
  }
});

test('at most so many reads run at a time, also when those that run hang and their callers are gone', async (t) => {
  const disk = new HeldDisk();
  const reads = new PriceReads();

  for (let count = 0; count < 5; count += 1) await reads.read(ids, disk.read, 1);

  t.is(disk.begun.length, readsInParallelMax);
});

test('a read that nobody waits for any more is not begun', async (t) => {
  const disk = new HeldDisk();
  const reads = new PriceReads();
  await reads.read(ids, disk.read, 1);
  const reading = reads.read([productId('later')], disk.read, longMs);

  disk.answerAll();
  await reading;

  t.deepEqual(disk.begun, [...ids.slice(0, readsInParallelMax), productId('later')]);
});

test('callers take turns', async (t) => {
  const disk = new HeldDisk();
  const reads = new PriceReads();
  const first = reads.read(ids, disk.read, longMs);
  const second = reads.read(['x', 'y'].map(productId), disk.read);

  disk.answerAll();
  await Promise.all([first, second]);

  t.deepEqual(disk.begun.slice(0, 7), ['a', 'b', 'c', 'd', 'x', 'e', 'y'].map(productId));
});

test('all that is asked for is answered: a record, or that there is none', async (t) => {
  const answer = await new PriceReads().read(ids.slice(0, 2), async (id) =>
    id === 'a' ? record('a') : undefined,
  );

  t.deepEqual(
    [...answer],
    [
      [productId('a'), record('a')],
      [productId('b'), undefined],
    ],
  );
});

test('a file that cannot be read leaves its product out, any other failure is the answer', async (t) => {
  const failing = (error: Error) => (id: ProductId) =>
    id === 'b' ? Promise.reject(error) : Promise.resolve(record(id));
  const unreadable = [
    new RepricerError('PRODUCT_FILE_DAMAGED', 'it is being rebuilt'),
    new RepricerError('JOURNAL_DAMAGED', 'the journal ends before it'),
    new RepricerError('STORAGE_BUSY', 'too many files are open'),
    Object.assign(new Error('the disk'), { code: 'EIO' }),
  ];
  const reads = new PriceReads();

  for (const error of unreadable) {
    const answer = await reads.read(ids.slice(0, 3), failing(error), longMs);

    t.deepEqual([...answer.keys()], ['a', 'c'].map(productId));
  }
  for (const waitMs of [longMs, undefined]) {
    const reading = reads.read(ids, failing(new TypeError('a mistake')), waitMs);

    await t.throwsAsync(reading, { instanceOf: TypeError });
  }
});

test('a failure that comes when nobody waits any more ends nothing', async (t) => {
  const disk = new HeldDisk();
  const reads = new PriceReads();
  await reads.read([productId('a')], disk.read, 1);

  disk.failNext(productId('a'), new TypeError('a mistake'));

  t.deepEqual(
    [...(await reads.read([productId('b')], async () => undefined))],
    [[productId('b'), undefined]],
  );
});

/** Reads that hang until they are answered. */
class HeldDisk {
  readonly begun: ProductId[] = [];
  readonly #held: {
    id: ProductId;
    resolve: (record: PriceRecord) => void;
    reject: (error: Error) => void;
  }[] = [];
  #isHeld = true;

  readonly read = (id: ProductId): Promise<PriceRecord | undefined> => {
    this.begun.push(id);
    if (!this.#isHeld) return Promise.resolve(record(id));
    return new Promise((resolve, reject) => {
      this.#held.push({ id, resolve, reject });
    });
  };

  /** Fails the read of this product that began first. */
  failNext(id: ProductId, error: Error): void {
    this.#held.find((held) => held.id === id)?.reject(error);
  }

  /** Answers what runs, and from now on what comes. */
  answerAll(): void {
    this.#isHeld = false;
    for (const { id, resolve } of this.#held.splice(0)) resolve(record(id));
  }
}

function record(product: string): PriceRecord {
  const [only] = new RecordSource().batch(product);
  if (only === undefined) throw new Error('a batch of one has a record');
  return only;
}
