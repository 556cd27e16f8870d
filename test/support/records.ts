import assert from 'node:assert';
import { type Price, toPrice } from '../../src/model/price.ts';
import type { PriceRecord } from '../../src/model/price-record.ts';
import { isProductId, type ProductId } from '../../src/model/product-id.ts';
import { type Timestamp, toTimestamp } from '../../src/model/timestamp.ts';
import { encodeRecord } from '../../src/storage/record.ts';

/** 2026-11-21T12:00:00Z, the time at which the tests' clocks begin. */
export const noon = toTimestamp(Date.UTC(2026, 10, 21, 12) * 1000);

export function productId(text: string): ProductId {
  assert(isProductId(text), `${text} is no product id`);
  return text;
}

export function price(text: string): Price {
  const value = toPrice(text);
  assert(value !== undefined, `${text} is no price`);
  return value;
}

/** A clock that a test moves; each look at it is a microsecond later than the one before. */
export class TestClock {
  now: Timestamp;

  constructor(now: Timestamp = noon) {
    this.now = now;
  }

  readonly read = (): Timestamp => {
    this.now = toTimestamp(this.now + 1);
    return this.now;
  };

  advanceMs(ms: number): void {
    this.now = toTimestamp(this.now + ms * 1000);
  }
}

/** Makes batches that go on from one another: dense seqs and versions, right previous prices, one microsecond apart. */
export class RecordSource {
  readonly #lastPrices = new Map<ProductId, { version: number; price: Price }>();
  #seq = 0;
  #timestamp: Timestamp;

  constructor(start: Timestamp = noon) {
    this.#timestamp = start;
  }

  advanceMs(ms: number): void {
    this.#timestamp = toTimestamp(this.#timestamp + ms * 1000);
  }

  /** A batch with a record for each product named, in order. */
  batch(...products: readonly string[]): readonly PriceRecord[] {
    const batch = this.#seq + 1;
    return products.map((name, index) => ({
      ...this.#next(name, batch),
      ...(index === 0 && products.length > 1 && { batchSize: products.length }),
    }));
  }

  #next(name: string, batch: number): PriceRecord {
    const id = productId(name);
    const last = this.#lastPrices.get(id);
    this.#seq += 1;
    this.#timestamp = toTimestamp(this.#timestamp + 1);
    const version = (last?.version ?? 0) + 1;
    const newPrice = price(`${this.#seq}.50`);
    this.#lastPrices.set(id, { version, price: newPrice });
    return {
      seq: this.#seq,
      batch,
      productId: id,
      version,
      previousPrice: last?.price ?? null,
      newPrice,
      timestamp: this.#timestamp,
    };
  }
}

export function encodeAll(records: readonly PriceRecord[]): string {
  return records.map(encodeRecord).join('');
}
