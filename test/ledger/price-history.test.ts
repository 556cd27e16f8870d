import test, { type ExecutionContext } from 'ava';
import type { HistoryRange } from '../../src/ledger/history-range.ts';
import type { PriceBucket } from '../../src/ledger/price-bucket.ts';
import { historyPageRecords, priceHistory } from '../../src/ledger/price-history.ts';
import type { Price } from '../../src/model/price.ts';
import type { PriceRecord } from '../../src/model/price-record.ts';
import { type Timestamp, toTimestamp } from '../../src/model/timestamp.ts';
import { RecordList, randomRecords } from '../support/record-list.ts';
import { noon, price, RecordSource } from '../support/records.ts';
import { SeededRandom } from '../support/seeded-random.ts';

test('a bucket begins with the price carried in, and weighs each by the time that it held', async (t) => {
  const records = changes([0, '3.50'], [15, '2'], [18, '4.0']);

  const [bucket, ...others] = await priceHistory(records, range(10, 20, 10));

  t.deepEqual(others, []);
  t.like(figures(bucket), { open: '3.50', high: '4.0', low: '2.0', close: '4.0', changes: 2 });
  // (5 × 3.5 + 3 × 2 + 2 × 4) / 10
  t.is(bucket?.timeWeightedAverage, '3.150000');
});

test('a bucket without a record carries the last price, also past the last record', async (t) => {
  const buckets = await priceHistory(changes([5, '3.50']), range(0, 40, 20));

  const held = { open: '3.50', high: '3.50', low: '3.50', close: '3.50' };
  t.deepEqual(buckets.map(figures), [
    { ...held, changes: 1, average: '3.500000' },
    { ...held, changes: 0, average: '3.500000' },
  ]);
});

test('a bucket before the first price has no figures, and the time before it no weight', async (t) => {
  const buckets = await priceHistory(changes([15, '3'], [19, '8']), range(0, 20, 10));

  t.deepEqual(buckets.map(figures), [
    { open: null, high: null, low: null, close: null, changes: 0, average: null },
    { open: '3.0', high: '8.0', low: '3.0', close: '8.0', changes: 2, average: '4.000000' },
  ]);
});

test('a change at a boundary belongs to the bucket that begins there', async (t) => {
  const buckets = await priceHistory(changes([0, '1.0'], [10, '2.0']), range(0, 20, 10));

  t.deepEqual(
    buckets.map(({ open, high, close, changes }) => ({ open, high, close, changes })),
    [
      { open: price('1.0'), high: price('1.0'), close: price('1.0'), changes: 1 },
      { open: price('2.0'), high: price('2.0'), close: price('2.0'), changes: 1 },
    ],
  );
});

test('buckets are aligned to the start of the range, and the last one ends with it', async (t) => {
  const buckets = await priceHistory(changes([0, '1.0']), range(3, 25, 10));

  t.deepEqual(
    buckets.map(({ from, to }) => [from - noon, to - noon]),
    [
      [3, 13],
      [13, 23],
      [23, 25],
    ],
  );
});

test('high and low compare as decimals and not as text, and keep the digits of the earlier of equals', async (t) => {
  const records = changes([0, '9.5'], [1, '10.0'], [2, '10'], [3, '9.50']);

  const [bucket] = await priceHistory(records, range(0, 10, 10));

  t.like(figures(bucket), { high: '10.0', low: '9.5' });
});

test('an average of the longest prices over centuries is exact', async (t) => {
  const half = 4_000_000_000_000_000;
  const end = toTimestamp(2 * half);
  const records = new RecordList(
    [...pairs([0, '999999999999.999999'], [half, '999999999999.999998'])].map((record) => ({
      ...record,
      timestamp: toTimestamp(record.timestamp - noon),
    })),
  );

  const [bucket] = await priceHistory(records, {
    from: toTimestamp(0),
    to: end,
    intervalMicros: end,
  });

  t.is(bucket?.timeWeightedAverage, '999999999999.999998', 'a half is rounded to the even digit');
});

test('records are read a page at a time, however many there are', async (t) => {
  const count = 2 * historyPageRecords + 1;
  const records = new RecordList(
    pairs(...Array.from({ length: count }, (_, index) => [index, '1'] as const)),
  );

  const [bucket] = await priceHistory(records, range(0, count, count));

  t.is(bucket?.changes, count);
  t.deepEqual(records.sliceLengths, [0, historyPageRecords, historyPageRecords, 1]);
});

test('nothing more is read once nobody wants the figures any more', async (t) => {
  const count = 3 * historyPageRecords;
  const records = new RecordList(
    pairs(...Array.from({ length: count }, (_, index) => [index, '1'] as const)),
  );

  await priceHistory(records, range(0, count, count), () => records.sliceLengths.length < 2);

  t.deepEqual(records.sliceLengths, [0, historyPageRecords]);
});

for (let number = 0; number < 60; number += 1) {
  test(`the figures of random records are those of a plain look at each of them (${number})`, async (t) => {
    const random = SeededRandom.forTest(t, number);
    const records = randomRecords(random, random.integer(40));
    const start = random.integer(120) - 10;
    const wanted = range(start, start + 1 + random.integer(150), 1 + random.integer(40));

    const buckets = await priceHistory(new RecordList(records), wanted);

    t.is(buckets[0]?.from, wanted.from);
    t.is(buckets.at(-1)?.to, wanted.to);
    for (const bucket of buckets) compare(t, bucket, records);
  });
}

/** Holds a bucket against every record: how long each price held within it, and what follows from that. */
function compare(t: ExecutionContext, bucket: PriceBucket, records: readonly PriceRecord[]): void {
  const held = records
    .map(({ timestamp, newPrice }, index) => {
      const end = Math.min(records[index + 1]?.timestamp ?? bucket.to, bucket.to);
      return { newPrice, micros: end - Math.max(timestamp, bucket.from) };
    })
    .filter(({ micros }) => micros > 0);
  const prices = held.map(({ newPrice }) => newPrice);
  const inBucket = records.filter(
    ({ timestamp }) => timestamp >= bucket.from && timestamp < bucket.to,
  );

  t.is(bucket.changes, inBucket.length);
  t.is(bucket.open, prices[0] ?? null);
  t.is(bucket.close, prices.at(-1) ?? null);
  t.is(
    bucket.high,
    extreme(prices, (a, b) => a > b),
  );
  t.is(
    bucket.low,
    extreme(prices, (a, b) => a < b),
  );
  const total = held.reduce((sum, { micros }) => sum + BigInt(micros), 0n);
  const area = held.reduce(
    (sum, { newPrice, micros }) => sum + millionths(newPrice) * BigInt(micros),
    0n,
  );
  if (bucket.timeWeightedAverage === null) t.is(total, 0n);
  else t.true(isNearest(millionths(bucket.timeWeightedAverage), area, total));
}

/** Whether no whole number is nearer to `area / total`, nor an even one as near. */
function isNearest(rounded: bigint, area: bigint, total: bigint): boolean {
  const difference = rounded * total - area;
  const doubled = 2n * (difference < 0n ? -difference : difference);
  return doubled < total || (doubled === total && rounded % 2n === 0n);
}

function extreme(
  prices: readonly Price[],
  isBeyond: (a: number, b: number) => boolean,
): Price | null {
  const first = prices[0];
  if (first === undefined) return null;
  return prices.reduce((best, next) => (isBeyond(Number(next), Number(best)) ? next : best), first);
}

/** Of at most nine digits before the point, which a float holds to the millionth. */
function millionths(text: string): bigint {
  return BigInt(Math.round(Number(text) * 1e6));
}

function changes(...list: readonly (readonly [number, string])[]): RecordList {
  return new RecordList(pairs(...list));
}

/** Records of one product, each at some microseconds after noon. */
function pairs(...list: readonly (readonly [number, string])[]): readonly PriceRecord[] {
  const source = new RecordSource();
  return list.flatMap(([micros, newPrice]) =>
    source
      .batch('a')
      .map((record) => ({ ...record, timestamp: at(micros), newPrice: price(newPrice) })),
  );
}

function range(from: number, to: number, intervalMicros: number): HistoryRange {
  return { from: at(from), to: at(to), intervalMicros };
}

function at(micros: number): Timestamp {
  return toTimestamp(noon + micros);
}

function figures(bucket: PriceBucket | undefined): Record<string, string | number | null> {
  if (bucket === undefined) return {};
  const { open, high, low, close, changes, timeWeightedAverage: average } = bucket;
  return { open, high, low, close, changes, average };
}
