import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { RepricerError } from '../../src/errors.ts';
import { PriceLedger } from '../../src/ledger/price-ledger.ts';
import type { Receipt } from '../../src/ledger/receipt.ts';
import { formatTimestamp, toTimestamp } from '../../src/model/timestamp.ts';
import { encodeRecord } from '../../src/storage/record.ts';
import { FaultyFiles, PowerLost } from '../support/faulty-files.ts';
import { type LedgerParts, openLedger, receiptOf, testLimits, update } from '../support/ledger.ts';
import { noon, price, productId, TestClock } from '../support/records.ts';
import { SlowStorage } from '../support/slow-storage.ts';
import { checkCleanStore, RecordedEvents } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const journal = /results\/date=/;
const products = /results_by_product/;

test('each price gets the price that it replaces, over batches and within one', async (t) => {
  const { directory, ledger, set } = await open(t);

  const first = await set('a', '1.00');
  const together = await Promise.all([set('a', '2'), set('b', '5'), set('a', '3.5')]);
  await ledger.close();

  t.is(first.record.previousPrice, null);
  t.deepEqual(
    together.map(({ record }) => [record.productId, record.version, record.previousPrice]),
    [
      [productId('a'), 2, price('1.00')],
      [productId('b'), 1, null],
      [productId('a'), 3, price('2.0')],
    ],
  );
  await checkCleanStore(t, directory);
});

test('the bytes at the place that a receipt gives are the record, once the segment is sealed', async (t) => {
  const { directory, ledger, set } = await open(t, { options: { segmentBytesMax: 600 } });

  const receipts: Receipt[] = [];
  for (let count = 0; count < 5; count += 1) {
    receipts.push(...(await Promise.all(['ä', 'b', 'c'].map((name) => set(name, `${count}.5`)))));
  }
  await ledger.close();

  for (const { record, place } of receipts) {
    const bytes = await readFile(join(directory, place.file));
    const line = bytes.subarray(place.offset, place.offset + place.length).toString();
    t.is(line, encodeRecord(record));
  }
});

test('a listener is told of each batch that is on disk before its receipts are given, until it ends that', async (t) => {
  const { directory, files, ledger, set } = await open(t);
  const told: (number | string)[] = [];
  const endListening = ledger.onCommit((records) => {
    told.push(...records.map(({ seq }) => seq), `of ${ledger.lastSeq}`);
  });
  const hold = files.hold('datasync', journal);

  const first = set('a', '1').then(() => told.push('receipt'));
  await hold.reached();
  const others = [set('a', '2'), set('b', '3')];
  const toldBefore = [...told];
  hold.release();
  await Promise.all([first, ...others]);
  endListening();
  await set('a', '4');
  await ledger.close();

  t.deepEqual(toldBefore, []);
  t.deepEqual(told, [1, 'of 1', 'receipt', 2, 3, 'of 3']);
  await checkCleanStore(t, directory);
});

test('a receipt is given when the record is on disk, and not before', async (t) => {
  const { directory, files, ledger, set } = await open(t);
  const hold = files.hold('datasync', journal);

  const settled: string[] = [];
  const write = set('a', '1').then(() => settled.push('receipt'));
  await hold.reached();
  await t.throwsAsync(ledger.currentPrice(productId('a')), { code: 'UNKNOWN_PRODUCT' });
  settled.push('released');
  hold.release();
  await write;

  t.deepEqual(settled, ['released', 'receipt']);
  t.is((await ledger.currentPrice(productId('a'))).newPrice, price('1.0'));
  await ledger.close();
  await checkCleanStore(t, directory);
});

test('records that arrive during a sync share the next one: one datasync for each batch', async (t) => {
  const events = new RecordedEvents();
  const { directory, files, ledger, set } = await open(t, { events });
  const hold = files.hold('datasync', journal);

  const first = set('a', '1');
  await hold.reached();
  const others = ['b', 'c', 'd', 'a'].map((name) => set(name, '2'));
  hold.release();
  const receipts = [await first, ...(await Promise.all(others))];

  t.deepEqual(
    events.of('batchSynced').map(([records]) => records),
    [1, 4],
  );
  t.is(files.calls('datasync', journal).length, 2);
  t.deepEqual(
    receipts.map(({ record }) => record.seq),
    [1, 2, 3, 4, 5],
  );
  await ledger.close();
  await checkCleanStore(t, directory);
});

test('with as many records waiting as the queue holds the next one is refused, and all of those are recorded', async (t) => {
  const { directory, files, ledger, set } = await open(t, { queueMax: 50 });
  const hold = files.hold('datasync', journal);
  const held = Array.from({ length: 50 }, (_, index) => set(`p${index % 7}`, `${index}.5`));
  await hold.reached();

  await t.throwsAsync(set('p0', '9'), { code: 'QUEUE_FULL', message: /50 records/ });
  t.is(ledger.queueLength, 50);
  hold.release();
  const receipts = await Promise.all(held);

  t.deepEqual(
    receipts.map(({ record }) => record.seq),
    Array.from({ length: 50 }, (_, index) => index + 1),
  );
  t.is(ledger.queueLength, 0);
  t.is((await set('p0', '9')).record.seq, 51);
  await ledger.close();
  t.is((await checkCleanStore(t, directory)).records, 51);
});

test('a batch that meets no space is refused whole, and changes no price', async (t) => {
  const { directory, files, ledger, set } = await open(t);
  await set('a', '1');
  const full = files.fail('write', journal, 'ENOSPC');

  const refused = await Promise.allSettled([set('a', '2'), set('a', '3'), set('b', '4')]);
  full.stop();

  t.deepEqual(refused.map(codeOf), ['NO_SPACE', 'NO_SPACE', 'NO_SPACE']);
  t.is((await ledger.currentPrice(productId('a'))).newPrice, price('1.0'));
  await t.throwsAsync(ledger.currentPrice(productId('b')), { code: 'UNKNOWN_PRODUCT' });
  const next = await retried(() => set('a', '5'), 'NO_SPACE');
  t.deepEqual([next.record.seq, next.record.previousPrice], [2, price('1.0')]);
  await ledger.close();
  await checkCleanStore(t, directory);
});

test('after a failed sync nothing is acknowledged any more, and the owner is told once', async (t) => {
  const { directory, files, ledger, failures, set } = await open(t);
  await set('a', '1');
  const hold = files.hold('datasync', journal);
  const batch = set('a', '2');
  await hold.reached();
  const queue = [set('a', '3'), set('b', '4')];
  files.fail('datasync', journal, 'EIO', { times: 1 });
  hold.release();

  const outcomes = await Promise.allSettled([batch, ...queue, set('a', '5')]);

  t.deepEqual(outcomes.map(codeOf), Array(4).fill('STORAGE_FAILED'));
  t.is(failures.length, 1);
  t.is((await ledger.currentPrice(productId('a'))).newPrice, price('1.0'), 'reads go on');
  await ledger.close();
  const next = await open(t, {}, directory);
  t.is((await next.set('a', '6')).record.seq, 2);
  await next.ledger.close();
  await checkCleanStore(t, directory);
});

test('a sync that never returns acknowledges nothing', async (t) => {
  const { directory, files, ledger, set } = await open(t);
  await set('a', '1');
  await set('b', '1');
  const hold = files.hold('datasync', journal);

  const writes = Promise.allSettled([set('a', '2'), set('b', '3')]);
  await hold.reached();
  await files.losePower();

  t.deepEqual((await writes).map(codeOf), ['STORAGE_FAILED', 'STORAGE_FAILED']);
  await t.throwsAsync(ledger.close(), { instanceOf: PowerLost });
  const next = await open(t, {}, directory);
  t.is((await next.ledger.currentPrice(productId('a'))).newPrice, price('1.0'));
  await next.ledger.close();
  await checkCleanStore(t, directory);
});

test('a product whose file cannot be read is refused alone', async (t) => {
  const directory = await temporaryDirectory(t);
  const before = await open(t, {}, directory);
  await Promise.all([before.set('a', '1'), before.set('b', '1')]);
  await before.ledger.close();
  const { files, ledger, set } = await open(t, {}, directory);
  const fault = files.fail('read', /b\.ndjson$/, 'EIO');

  const outcomes = await Promise.allSettled([set('a', '2'), set('b', '2'), set('c', '2')]);
  fault.stop();

  t.deepEqual(outcomes.map(codeOf), [undefined, 'EIO', undefined]);
  t.is((await set('b', '3')).record.previousPrice, price('1.0'));
  await ledger.close();
  await checkCleanStore(t, directory);
});

test('last prices that left memory are read from product files, or from what waits for them', async (t) => {
  const { directory, ledger, set } = await open(t, { lastPricesMax: 1 });
  const names = ['a', 'b', 'c', 'd'];

  for (let round = 1; round <= 5; round += 1) {
    for (const name of names) {
      const { record } = await set(name, `${round}.5`);
      t.is(record.version, round);
      t.is(record.previousPrice, round === 1 ? null : price(`${round - 1}.5`));
      t.is((await ledger.currentPrice(productId(name))).version, round, 'a reader sees its write');
    }
  }
  t.true(ledger.cacheMisses > 10);
  await ledger.close();
  await checkCleanStore(t, directory);
});

test('a price that was read while a newer one was committed is not kept for later', async (t) => {
  const storage = new SlowStorage();
  const limits = { ...testLimits, lastPricesMax: 1 };
  const ledger = await PriceLedger.open(storage, limits, new TestClock().read, () => t.fail());
  const set = async (name: string, newPrice: string) =>
    receiptOf(await ledger.reprice(update(name, newPrice)));
  await set('a', '1');
  await set('b', '1');
  const release = storage.holdNextRead();
  const read = ledger.currentPrice(productId('a'));
  await set('a', '2');
  await set('b', '2');

  release();
  t.is((await read).newPrice, price('1.0'), 'it was the price when the read began');

  t.is((await set('a', '3')).record.previousPrice, price('2.0'));
  await ledger.close();
});

test('timestamps increase with seq when the clock stands still, steps back, and over a restart', async (t) => {
  const directory = await temporaryDirectory(t);
  const stopped = { read: () => noon } as TestClock;
  const first = await open(t, { clock: stopped }, directory);
  const times = [];
  for (let count = 0; count < 3; count += 1)
    times.push((await first.set('a', '1')).record.timestamp);
  await first.ledger.close();
  const hourBefore = new TestClock(toTimestamp(noon - 3_600_000_000));

  const second = await open(t, { clock: hourBefore }, directory);
  times.push((await second.set('a', '2')).record.timestamp);
  await second.ledger.close();

  t.deepEqual(times, [noon, noon + 1, noon + 2, noon + 3].map(toTimestamp));
  await checkCleanStore(t, directory);
});

test('the records of a batch that would straddle midnight are all of the next date', async (t) => {
  const midnight = toTimestamp(Date.UTC(2026, 10, 22) * 1000);
  const clock = new TestClock(toTimestamp(midnight - 100));
  const { directory, files, ledger, set } = await open(t, { clock });
  const hold = files.hold('datasync', journal);
  const first = set('a', '1');
  await hold.reached();
  clock.now = toTimestamp(midnight - 4);

  const others = ['a', 'b', 'c', 'd', 'e'].map((name) => set(name, '2'));
  hold.release();
  const times = (await Promise.all([first, ...others])).map(({ record }) => record.timestamp);

  t.true((times[0] ?? 0) < midnight);
  t.deepEqual(
    times.slice(1),
    [0, 1, 2, 3, 4].map((micros) => toTimestamp(midnight + micros)),
  );
  await ledger.close();
  await checkCleanStore(t, directory);
});

test('of many that want to be the first price of a product, exactly one is', async (t) => {
  const { directory, ledger } = await open(t);

  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      ledger.reprice(update('a', `${index + 1}.5`), { mustBeNew: true }),
    ),
  );

  t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  t.is(outcomes.filter((outcome) => codeOf(outcome) === 'PRECONDITION_FAILED').length, 19);
  await ledger.close();
  t.is((await checkCleanStore(t, directory)).records, 1);
});

test('a stop answers what was accepted and refuses what comes later', async (t) => {
  const { directory, files, ledger, set } = await open(t);
  const hold = files.hold('datasync', journal);
  const accepted = [set('a', '1'), set('b', '2')];
  await hold.reached();

  const closed = ledger.close();
  await t.throwsAsync(set('a', '3'), { code: 'DRAINING' });
  hold.release();
  const receipts = await Promise.all(accepted);
  await closed;

  t.is(receipts.length, 2);
  t.is((await checkCleanStore(t, directory)).records, 2);
});

test('a product file that is slow to be written holds up no receipt', async (t) => {
  const { directory, files, ledger, set } = await open(t);
  const hold = files.hold('write', products);

  for (let count = 1; count <= 10; count += 1) await set('a', `${count}`);
  await hold.reached();
  const { records: page } = await ledger.query({
    productIds: [productId('a')],
    order: 'desc',
    pageSize: 3,
    pageNumber: 1,
  });
  hold.release();

  t.deepEqual(
    page.map(({ version }) => version),
    [10, 9, 8],
  );
  await ledger.close();
  await checkCleanStore(t, directory);
});

test('prices at a moment and histories see the product file and the records on their way there', async (t) => {
  const { directory, ledger: before, set: setBefore } = await open(t);
  const { record: first } = await setBefore('a', '1.00');
  await before.close();
  const clock = new TestClock(toTimestamp(noon + 1_000_000));
  const { files, ledger, set } = await open(t, { clock }, directory);
  const hold = files.hold('write', products);
  const { record: second } = await set('a', '3');
  const at = (micros: number) => ledger.priceAt(productId('a'), toTimestamp(micros));

  const found = [
    await at(first.timestamp),
    await at(second.timestamp - 1),
    await at(second.timestamp),
  ];
  const range = {
    from: first.timestamp,
    to: toTimestamp(second.timestamp + 1),
    intervalMicros: 1e9,
  };
  const [bucket, ...others] = await ledger.history(productId('a'), range);
  const early = await t.throwsAsync(at(first.timestamp - 1), { code: 'NO_PRICE_YET' });
  await t.throwsAsync(ledger.priceAt(productId('b'), noon), { code: 'UNKNOWN_PRODUCT' });
  await t.throwsAsync(ledger.history(productId('b'), range), { code: 'UNKNOWN_PRODUCT' });
  hold.release();
  await ledger.close();

  t.deepEqual(found, [
    { record: first, validTo: second.timestamp },
    { record: first, validTo: second.timestamp },
    { record: second, validTo: null },
  ]);
  t.true(early?.message.endsWith(formatTimestamp(first.timestamp)));
  t.deepEqual(others, []);
  t.deepEqual(
    [bucket?.open, bucket?.low, bucket?.high, bucket?.close, bucket?.changes],
    [price('1.00'), price('1.00'), price('3'), price('3'), 2],
  );
  await checkCleanStore(t, directory);
});

async function open(t: ExecutionContext, parts: LedgerParts = {}, directory?: string) {
  const files = new FaultyFiles();
  const place = directory ?? (await temporaryDirectory(t));
  return { directory: place, files, ...(await openLedger(place, { files, ...parts })) };
}

function codeOf(outcome: PromiseSettledResult<unknown>): string | undefined {
  return outcome.status === 'rejected' ? (outcome.reason as RepricerError).code : undefined;
}

/** The volume is looked at about once a second, so what it refuses for a while is tried until then. */
async function retried<T>(work: () => Promise<T>, code: string): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if ((error as RepricerError).code !== code) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
