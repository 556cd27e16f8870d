import type { PriceRecord } from '../../model/price-record.ts';
import type { ProductId } from '../../model/product-id.ts';
import { presentEvent } from './present-event.ts';

const firstBytes = 8 * 1024;

/** Events in the order of their seq, ready to be sent. */
export interface Events {
  readonly bytes: Buffer;
  readonly count: number;
}

/**
 * The events of consecutive records, encoded once for all who are sent them.
 *
 * Invariant: bytes that were handed out never change, as sockets may still hold them; a block grows
 * only behind them.
 */
export class EventBlock {
  readonly firstSeq: number;
  readonly #productIds: ProductId[] = [];
  /** Where each event begins, and where the last one ends. */
  readonly #offsets = [0];
  #bytes = Buffer.allocUnsafeSlow(firstBytes);

  constructor(firstSeq: number) {
    this.firstSeq = firstSeq;
  }

  get lastSeq(): number {
    return this.firstSeq + this.#productIds.length - 1;
  }

  /** The memory that it takes, in bytes. */
  get size(): number {
    return this.#bytes.length;
  }

  /** Adds the event of the record with the seq after `lastSeq`. */
  add(record: PriceRecord): void {
    const event = Buffer.from(presentEvent(record));
    const start = this.#offsetAt(this.#productIds.length);
    const end = start + event.length;
    if (end > this.#bytes.length) this.#grow(end);
    event.copy(this.#bytes, start);
    this.#offsets.push(end);
    this.#productIds.push(record.productId);
  }

  /** The events from `seq` on: those of the products, or all where none is named. */
  from(seq: number, productIds: ReadonlySet<ProductId>): Events {
    const index = seq - this.firstSeq;
    const { length } = this.#productIds;
    if (productIds.size > 0) return this.#matching(index, productIds);
    const bytes = this.#bytes.subarray(this.#offsetAt(index), this.#offsetAt(length));
    return { bytes, count: length - index };
  }

  #matching(start: number, wanted: ReadonlySet<ProductId>): Events {
    const events: Buffer[] = [];
    for (let index = start; index < this.#productIds.length; index += 1) {
      const productId = this.#productIds[index];
      if (productId === undefined || !wanted.has(productId)) continue;
      events.push(this.#bytes.subarray(this.#offsetAt(index), this.#offsetAt(index + 1)));
    }
    return { bytes: Buffer.concat(events), count: events.length };
  }

  /** What was handed out stays with the old memory. */
  #grow(bytesMin: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(bytesMin, 2 * this.#bytes.length));
    this.#bytes.copy(grown);
    this.#bytes = grown;
  }

  #offsetAt(index: number): number {
    return this.#offsets[index] ?? 0;
  }
}
