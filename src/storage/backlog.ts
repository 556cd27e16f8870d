import type { PriceRecord } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';
import { NewProducts } from './new-products.ts';

/** One product's records that are not in its file yet, with their lines, in order. */
export interface ProductTail {
  readonly records: PriceRecord[];
  readonly lines: string[];
  /** Whether an append of it has failed, so that the file may end with a part of it. */
  mayBeThere: boolean;
}

/** How far product files are behind the journal. */
export interface AggregationLag {
  readonly records: number;
  readonly seconds: number;
}

/**
 * The records that are in the journal and not yet in their product files.
 *
 * Invariant: a record is here, or in its product file, or both, from the moment it is added.
 *
 * Bounded: whoever adds waits for room first. Two generations: a window that is being put into product
 * files, and the one that is filling up meanwhile.
 */
export class Backlog {
  readonly #recordsMax: number;
  /** The products of which the first record is here. */
  readonly newProducts = new NewProducts();
  #window = new Map<ProductId, ProductTail>();
  #filling = new Map<ProductId, ProductTail>();
  /** When each of the two got its first record, on the clock of `performance.now()`. */
  #windowSinceMs = 0;
  #fillingSinceMs = 0;
  #records = 0;
  #waitingForRoom: (() => void)[] = [];

  constructor(recordsMax: number) {
    this.#recordsMax = recordsMax;
  }

  get isEmpty(): boolean {
    return this.#records === 0;
  }

  /** How many records are here, and for how long the oldest of them about has been. */
  get lag(): AggregationLag {
    if (this.isEmpty) return { records: 0, seconds: 0 };
    const sinceMs = this.#window.size > 0 ? this.#windowSinceMs : this.#fillingSinceMs;
    return { records: this.#records, seconds: (performance.now() - sinceMs) / 1000 };
  }

  /** The product's records that are not surely in its file, in order of version. */
  recordsOf(productId: ProductId): readonly PriceRecord[] {
    const window = this.#window.get(productId)?.records;
    const filling = this.#filling.get(productId)?.records;
    return window === undefined || filling === undefined
      ? [...(window ?? filling ?? [])]
      : [...window, ...filling];
  }

  add(record: PriceRecord, line: string): void {
    if (this.#filling.size === 0) this.#fillingSinceMs = performance.now();
    const tail = this.#filling.get(record.productId);
    if (tail === undefined) {
      const first = { records: [record], lines: [line], mayBeThere: false };
      this.#filling.set(record.productId, first);
    } else {
      tail.records.push(record);
      tail.lines.push(line);
    }
    if (record.version === 1) this.newProducts.add(record.productId);
    this.#records += 1;
  }

  /** The window to put into product files: the one that was not finished, or all that came since. */
  takeWindow(): ReadonlyMap<ProductId, ProductTail> {
    if (this.#window.size === 0) {
      this.#window = this.#filling;
      // Not the emptied one: what it outgrew would keep records until the next full collection.
      this.#filling = new Map();
      this.#windowSinceMs = this.#fillingSinceMs;
    }
    return this.#window;
  }

  /** Says that a product's part of the window is in its file. */
  finish(productId: ProductId): void {
    const records = this.#window.get(productId)?.records ?? [];
    if (records[0]?.version === 1) this.newProducts.delete(productId);
    this.#records -= records.length;
    this.#window.delete(productId);
    for (const wake of this.#waitingForRoom.splice(0)) wake();
  }

  /** Waits until `records` more fit; false when they still do not after `waitMs`. */
  async hasRoom(records: number, waitMs: number): Promise<boolean> {
    const deadline = performance.now() + waitMs;
    // An empty backlog takes a batch of any size, or one larger than the bound would wait for ever.
    while (this.#records > 0 && this.#records + records > this.#recordsMax) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return false;
      await this.#somethingFinished(leftMs);
    }
    return true;
  }

  #somethingFinished(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#waitingForRoom.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
