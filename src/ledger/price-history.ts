import assert from 'node:assert';
import type { Price } from '../model/price.ts';
import type { PriceRecord } from '../model/price-record.ts';
import { type Timestamp, toTimestamp } from '../model/timestamp.ts';
import type { RecordSequence } from '../storage/record-sequence.ts';
import { bucketCount, type HistoryRange } from './history-range.ts';
import { PriceBucket } from './price-bucket.ts';

/** Records in memory at a time; also about the longest that one request keeps others waiting. */
export const historyPageRecords = 1000;

/**
 * The figures of a product's `records` in each bucket of `range`, oldest first. A price holds until
 * the next one comes, also into buckets without a record and past the last record.
 *
 * Reads every record of the range, a page at a time, so memory grows with the buckets only. It ends
 * early once `isWanted` no longer holds; what it gives then means nothing.
 */
export async function priceHistory(
  records: RecordSequence,
  range: HistoryRange,
  isWanted: () => boolean = () => true,
): Promise<readonly PriceBucket[]> {
  const first = await records.indexAt(range.from);
  const end = await records.indexAt(range.to);
  const [carriedIn] = await records.slice(Math.max(0, first - 1), first);
  const steps = new PriceSteps(range, carriedIn?.newPrice);
  for (let start = first; start < end && isWanted(); start += historyPageRecords) {
    const page = await records.slice(start, Math.min(end, start + historyPageRecords));
    for (const record of page) steps.take(record);
  }
  return steps.finish();
}

/** Walks through the range, from one price to the next, and tells each bucket what held in it. */
class PriceSteps {
  readonly #range: HistoryRange;
  readonly #buckets: readonly PriceBucket[];
  #price: Price | undefined;
  /** Up to where the buckets have been told. */
  #reached: Timestamp;

  constructor(range: HistoryRange, carriedIn: Price | undefined) {
    this.#range = range;
    this.#buckets = createBuckets(range);
    this.#price = carriedIn;
    this.#reached = range.from;
  }

  take({ timestamp, newPrice }: PriceRecord): void {
    this.#holdUntil(timestamp);
    this.#price = newPrice;
    this.#bucketAt(timestamp).changes += 1;
  }

  finish(): readonly PriceBucket[] {
    this.#holdUntil(this.#range.to);
    return this.#buckets;
  }

  #holdUntil(time: Timestamp): void {
    while (this.#reached < time) {
      const bucket = this.#bucketAt(this.#reached);
      const until = time < bucket.to ? time : bucket.to;
      if (this.#price !== undefined) bucket.hold(this.#price, until - this.#reached);
      this.#reached = until;
    }
  }

  #bucketAt(time: Timestamp): PriceBucket {
    const { from, intervalMicros } = this.#range;
    const bucket = this.#buckets[Math.floor((time - from) / intervalMicros)];
    assert(bucket !== undefined, 'every moment of the range is in a bucket');
    return bucket;
  }
}

function createBuckets(range: HistoryRange): readonly PriceBucket[] {
  const { from, to, intervalMicros } = range;
  const boundary = (index: number) => toTimestamp(Math.min(to, from + index * intervalMicros));
  return Array.from(
    { length: bucketCount(range) },
    (_, index) => new PriceBucket(boundary(index), boundary(index + 1)),
  );
}
