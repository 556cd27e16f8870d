import { RepricerError } from '../errors.ts';
import type { PriceRecord } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';
import type { LedgerStorage } from '../storage/ledger-storage.ts';
import { LastPrices } from './last-prices.ts';
import { listPrices, type PriceList, type ProductPage } from './price-list.ts';
import { PriceReads } from './price-reads.ts';
import type { ProductQuery } from './product-query.ts';

/** Products that one page looks at, in some 0.1 s of processor time, so that a rare prefix has many pages and no slow one. */
export const scannedProductsMax = 50_000;

/**
 * The products' last records: of those used recently in memory, of the others in the storage.
 *
 * Invariant: what is in memory is the last record that was committed, never one of before.
 */
export class ProductPrices {
  readonly #storage: LedgerStorage;
  readonly #recent: LastPrices;
  readonly #reads = new PriceReads();
  /** Counts batches, so that a read can tell that none was committed while it read. */
  #commits = 0;

  constructor(storage: LedgerStorage, recentMax: number) {
    this.#storage = storage;
    this.#recent = new LastPrices(recentMax);
  }

  get recent(): Pick<LastPrices, 'hits' | 'misses'> {
    return this.#recent;
  }

  /** Takes over the records of a batch that was committed, in order. */
  follow(records: readonly PriceRecord[]): void {
    for (const record of records) this.#recent.set(record);
    this.#commits += 1;
  }

  /** For a write, which will put its own record in memory. */
  async beforeWrite(productId: ProductId): Promise<PriceRecord | undefined> {
    return this.#recent.get(productId) ?? this.#storage.lastRecord(productId);
  }

  /** The product's last record; `UNKNOWN_PRODUCT` when it has none. */
  async one(productId: ProductId): Promise<PriceRecord> {
    const record = this.#recent.get(productId) ?? (await this.#read(productId));
    if (record === undefined) throw unknownProduct();
    return record;
  }

  /** The product's last record, where it is in memory. */
  inMemory(productId: ProductId): PriceRecord | undefined {
    return this.#recent.find(productId);
  }

  /** See `PriceLedger.currentPrices`. */
  async some(productIds: readonly ProductId[], waitMs: number): Promise<PriceList> {
    const inMemory = new Map<ProductId, PriceRecord>();
    for (const productId of productIds) {
      const record = this.#recent.get(productId) ?? this.#storage.lastRecordInMemory(productId);
      if (record !== undefined) inMemory.set(productId, record);
    }
    const onDisk = productIds.filter((productId) => !inMemory.has(productId));
    const readRecord = (productId: ProductId) => this.#read(productId);
    const read = await this.#reads.read(onDisk, readRecord, waitMs);
    return listPrices(productIds, new Map([...read, ...inMemory]));
  }

  /** See `PriceLedger.listProducts`. */
  async page({ prefix, after, limit }: ProductQuery): Promise<ProductPage> {
    const scan = { prefix, after, productsMax: limit, scannedMax: scannedProductsMax };
    const { productIds, next } = await this.#storage.listProducts(scan);
    // Nothing is kept in memory of it: a listing would push out what is used.
    const readRecord = async (productId: ProductId) =>
      this.#recent.peek(productId) ?? this.#storage.lastRecord(productId);
    const read = await this.#reads.read(productIds, readRecord);
    const { prices, pending } = listPrices(productIds, read);
    return { prices, pending, next };
  }

  async #read(productId: ProductId): Promise<PriceRecord | undefined> {
    const commits = this.#commits;
    const record = await this.#storage.lastRecord(productId);
    // What was read may be old by now; kept, it would become a wrong previousPrice.
    if (record !== undefined && commits === this.#commits) this.#recent.set(record);
    return record;
  }
}

export function unknownProduct(): RepricerError {
  return new RepricerError('UNKNOWN_PRODUCT', 'no price was ever recorded for this product');
}
