import { LRUCache } from 'lru-cache';
import type { PriceRecord } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';

/**
 * The last record of recently used products, at most `entriesMax` of them; the least recently used
 * leave first. What is not here is read from the storage.
 */
export class LastPrices {
  readonly #entries: LRUCache<ProductId, PriceRecord>;
  hits = 0;
  misses = 0;

  constructor(entriesMax: number) {
    this.#entries = new LRUCache({ max: entriesMax });
  }

  get(productId: ProductId): PriceRecord | undefined {
    const record = this.find(productId);
    if (record === undefined) this.misses += 1;
    return record;
  }

  /** As `get`, for one who leaves it to others where it is not here: only that it is here is counted. */
  find(productId: ProductId): PriceRecord | undefined {
    const record = this.#entries.get(productId);
    if (record !== undefined) this.hits += 1;
    return record;
  }

  /** As `get`, but it is no use of the product: it is not counted, and keeps nothing here longer. */
  peek(productId: ProductId): PriceRecord | undefined {
    return this.#entries.peek(productId);
  }

  set(record: PriceRecord): void {
    this.#entries.set(record.productId, record);
  }
}
