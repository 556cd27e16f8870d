import { RepricerError } from '../errors.ts';
import type { Price } from '../model/price.ts';
import type { PriceRecord, PriceUpdate } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';
import { dateOf, nextMidnight, type Timestamp, toTimestamp } from '../model/timestamp.ts';
import type { Preconditions } from './receipt.ts';

/** A reprice that waits for its turn. */
export interface Write {
  readonly update: PriceUpdate;
  readonly preconditions: Preconditions;
}

/** A product's last price when a write's turn comes; version 0 when it has none. */
export interface Head {
  readonly version: number;
  readonly price: Price | null;
}

/** A write's index among the records of its batch, or why it is not among them. */
export type Placing = { readonly index: number } | { readonly error: unknown };

type Draft = Pick<PriceRecord, 'version' | 'previousPrice'> & PriceUpdate;

/**
 * The records of one batch in the making. Writes are placed in order, each on top of those before it,
 * starting from the committed prices; nothing outside is changed.
 */
export class Batch {
  readonly #heads: Map<ProductId, Head>;
  readonly #drafts: Draft[] = [];

  /** `heads`: the committed last price of every product that will be placed. */
  constructor(heads: Map<ProductId, Head>) {
    this.#heads = heads;
  }

  place({ update, preconditions }: Write): Placing {
    const { version, price } = this.#heads.get(update.productId) ?? { version: 0, price: null };
    if (preconditions.mustBeNew && version > 0) return { error: alreadyPriced(version) };
    this.#heads.set(update.productId, { version: version + 1, price: update.newPrice });
    this.#drafts.push({ ...update, version: version + 1, previousPrice: price });
    return { index: this.#drafts.length - 1 };
  }

  /** The records from `firstSeq` on, one microsecond apart; `now` or later, and after `last`. */
  toRecords(firstSeq: number, now: Timestamp, last: Timestamp | undefined): readonly PriceRecord[] {
    const size = this.#drafts.length;
    const start = firstTimestamp(size, now, last);
    return this.#drafts.map((draft, index) => ({
      ...draft,
      seq: firstSeq + index,
      batch: firstSeq,
      timestamp: toTimestamp(start + index),
      ...(index === 0 && size > 1 && { batchSize: size }),
    }));
  }
}

/** All records of a batch stand in one segment, so they are all of one date: if need be, of the next. */
function firstTimestamp(size: number, now: Timestamp, last: Timestamp | undefined): Timestamp {
  const start = last !== undefined && last >= now ? toTimestamp(last + 1) : now;
  const end = toTimestamp(start + Math.max(0, size - 1));
  return dateOf(start) === dateOf(end) ? start : nextMidnight(start);
}

function alreadyPriced(version: number): RepricerError {
  return new RepricerError(
    'PRECONDITION_FAILED',
    `the product already has a price, version ${version}; nothing was recorded`,
  );
}
