import assert from 'node:assert';
import { hasCode, RepricerError } from '../errors.ts';
import type { PriceRecord, PriceUpdate } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';
import { isTimestamp, type Timestamp } from '../model/timestamp.ts';
import { type LedgerStorage, maintenanceIntervalMs } from '../storage/ledger-storage.ts';
import type { RecordSequence } from '../storage/record-sequence.ts';
import { Batch, type Head, type Write } from './batch.ts';
import type { Clock } from './clock.ts';
import { LastPrices } from './last-prices.ts';
import { listPrices, type PriceList, type ProductPage } from './price-list.ts';
import type { PriceQuery } from './price-query.ts';
import { PriceReads } from './price-reads.ts';
import type { ProductQuery } from './product-query.ts';
import type { Preconditions, Receipt } from './receipt.ts';
import { UnionRecords } from './union-records.ts';
import { type Outcome, WriteQueue } from './write-queue.ts';

/** Products that one page looks at, in some 0.1 s of processor time, so that a rare prefix has many pages and no slow one. */
export const scannedProductsMax = 50_000;

export interface LedgerOptions {
  /** Records that may wait or be written at a time. */
  readonly queueMax: number;
  /** Products whose last price is kept in memory. */
  readonly lastPricesMax: number;
}

/**
 * The price ledger: puts reprices in one order and gives each the price it replaces.
 *
 * Invariant: a receipt is given only when its record is on disk.
 * Invariant: seq is dense over all records, version within a product, and timestamps increase with seq.
 * Invariant: previousPrice is the price of the version before, and comes from committed state only.
 *
 * A batch that fails changes nothing here. After `STORAGE_FAILED` every write is refused, `onFailure`
 * is told once, and the process has to be started again.
 */
export class PriceLedger {
  readonly #storage: LedgerStorage;
  readonly #clock: Clock;
  readonly #onFailure: (error: RepricerError) => void;
  readonly #queue: WriteQueue<Write, Receipt>;
  readonly #lastPrices: LastPrices;
  readonly #priceReads = new PriceReads();
  readonly #maintenance: NodeJS.Timeout;
  #lastSeq: number;
  #lastTimestamp: Timestamp | undefined;
  /** Counts batches, so that a read can tell that none was committed while it read. */
  #commits = 0;
  #isMaintaining = false;
  #isClosing = false;
  #hasFailed = false;

  constructor(
    storage: LedgerStorage,
    options: LedgerOptions,
    clock: Clock,
    onFailure: (error: RepricerError) => void,
  ) {
    this.#storage = storage;
    this.#clock = clock;
    this.#onFailure = onFailure;
    this.#lastPrices = new LastPrices(options.lastPricesMax);
    this.#queue = new WriteQueue(options.queueMax, (writes) => this.#commit(writes));
    this.#lastSeq = storage.lastSeq;
    this.#lastTimestamp = storage.lastTimestamp;
    this.#maintenance = setInterval(() => this.#maintain(), maintenanceIntervalMs).unref();
  }

  /** Records that wait or are being written. */
  get queueLength(): number {
    return this.#queue.length;
  }

  /** The seq of the last record that is on disk. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  get cacheHits(): number {
    return this.#lastPrices.hits;
  }

  get cacheMisses(): number {
    return this.#lastPrices.misses;
  }

  /**
   * Records a price. When it resolves the record is on disk; when it rejects the record was not kept
   * (`STORAGE_FAILED`: never read again). `QUEUE_FULL`, `DRAINING`, `PRECONDITION_FAILED`, `NO_SPACE`,
   * `BACKLOG_FULL`, `STORAGE_BUSY`, `STORAGE_FAILED`.
   */
  async reprice(update: PriceUpdate, preconditions: Preconditions): Promise<Receipt> {
    if (this.#isClosing) {
      throw new RepricerError('DRAINING', 'the service is stopping; try again in a few seconds');
    }
    return this.#queue.add({ update, preconditions });
  }

  /** The product's last record; `UNKNOWN_PRODUCT` when it has none. Sees every receipt given before. */
  async currentPrice(productId: ProductId): Promise<PriceRecord> {
    const record = this.#lastPrices.get(productId) ?? (await this.#readLastRecord(productId));
    if (record === undefined) {
      throw new RepricerError('UNKNOWN_PRODUCT', 'no price was ever recorded for this product');
    }
    return record;
  }

  /**
   * The last prices of these products, each named once: what is in memory at once, and what the disk
   * gives within `waitMs`; the rest is `pending`.
   */
  async currentPrices(productIds: readonly ProductId[], waitMs: number): Promise<PriceList> {
    const inMemory = new Map<ProductId, PriceRecord>();
    for (const productId of productIds) {
      const record = this.#lastPrices.get(productId) ?? this.#storage.lastRecordInMemory(productId);
      if (record !== undefined) inMemory.set(productId, record);
    }
    const onDisk = productIds.filter((productId) => !inMemory.has(productId));
    const readRecord = (productId: ProductId) => this.#readLastRecord(productId);
    const read = await this.#priceReads.read(onDisk, readRecord, waitMs);
    return listPrices(productIds, new Map([...read, ...inMemory]));
  }

  /**
   * One page of the products and their last prices. From page to page every product is listed exactly
   * once that existed before the first; a page may have fewer than `limit`, or none, and others after it.
   */
  async listProducts({ prefix, after, limit }: ProductQuery): Promise<ProductPage> {
    const scan = { prefix, after, productsMax: limit, scannedMax: scannedProductsMax };
    const { productIds, next } = await this.#storage.listProducts(scan);
    // Nothing is kept in memory of it: a listing would push out what is used.
    const readRecord = async (productId: ProductId) =>
      this.#lastPrices.peek(productId) ?? this.#storage.lastRecord(productId);
    const { prices, pending } = listPrices(
      productIds,
      await this.#priceReads.read(productIds, readRecord),
    );
    return { prices, pending, next };
  }

  /** One page of the records in a range; each page is read from where it begins, however deep it lies. */
  async query(query: PriceQuery): Promise<readonly PriceRecord[]> {
    const { from, to, order, pageSize, pageNumber } = query;
    const records = await this.#recordsOf(query.productIds);
    const first = from === undefined ? 0 : await records.indexAt(from);
    const afterLast = to === undefined ? undefined : to + 1;
    const isBounded = afterLast !== undefined && isTimestamp(afterLast);
    const end = isBounded ? await records.indexAt(afterLast) : records.length;
    const skipped = (pageNumber - 1) * pageSize;
    const start = order === 'asc' ? first + skipped : Math.max(first, end - skipped - pageSize);
    const stop = order === 'asc' ? Math.min(end, start + pageSize) : end - skipped;
    if (start >= stop) return [];
    const page = await records.slice(start, stop);
    return order === 'asc' ? page : page.toReversed();
  }

  /** Refuses new writes, gives every accepted one its true answer, and closes the storage. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#maintenance);
    await this.#queue.drained();
    await this.#storage.close();
  }

  async #readLastRecord(productId: ProductId): Promise<PriceRecord | undefined> {
    const commits = this.#commits;
    const record = await this.#storage.lastRecord(productId);
    // What was read may be old by now; kept, it would become a wrong previousPrice.
    if (record !== undefined && commits === this.#commits) this.#lastPrices.set(record);
    return record;
  }

  async #recordsOf(productIds: readonly ProductId[]): Promise<RecordSequence> {
    const [only, second] = productIds;
    if (only === undefined) return this.#storage.allRecords();
    if (second === undefined) return this.#storage.productRecords(only);
    // The parts are taken one after the other; what is committed meanwhile is in none of them.
    const { lastSeq } = this.#storage;
    const parts: RecordSequence[] = [];
    for (const productId of productIds) parts.push(await this.#storage.productRecords(productId));
    return UnionRecords.upTo(lastSeq, parts);
  }

  async #commit(writes: readonly Write[]): Promise<readonly Outcome<Receipt>[]> {
    const { heads, failures } = await this.#readHeads(writes);
    const batch = new Batch(heads);
    const placings = writes.map((write) => {
      const error = failures.get(write.update.productId);
      return error === undefined ? batch.place(write) : { error };
    });
    const records = batch.toRecords(this.#lastSeq + 1, this.#clock(), this.#lastTimestamp);
    const receipts = records.length === 0 ? [] : await this.#append(records);
    return placings.map((placing) => {
      if ('error' in placing) return placing;
      const receipt = receipts[placing.index];
      assert(receipt !== undefined, 'every record that was appended has a receipt');
      return { result: receipt };
    });
  }

  /** The committed last price of each product in the writes. A product that cannot be read fails alone. */
  async #readHeads(writes: readonly Write[]): Promise<{
    heads: Map<ProductId, Head>;
    failures: ReadonlyMap<ProductId, unknown>;
  }> {
    const heads = new Map<ProductId, Head>();
    const failures = new Map<ProductId, unknown>();
    const productIds = new Set(writes.map(({ update }) => update.productId));
    await Promise.all(
      [...productIds].map(async (productId) => {
        try {
          const record =
            this.#lastPrices.get(productId) ?? (await this.#storage.lastRecord(productId));
          if (record === undefined) return;
          heads.set(productId, { version: record.version, price: record.newPrice });
        } catch (error) {
          failures.set(productId, error);
        }
      }),
    );
    return { heads, failures };
  }

  async #append(records: readonly PriceRecord[]): Promise<readonly Receipt[]> {
    const places = await this.#watch(this.#storage.append(records));
    for (const record of records) {
      this.#lastPrices.set(record);
      this.#lastSeq = record.seq;
      this.#lastTimestamp = record.timestamp;
    }
    this.#commits += 1;
    return records.flatMap((record, index) => {
      const place = places[index];
      return place === undefined ? [] : [{ record, place }];
    });
  }

  #maintain(): void {
    // A disk that hangs must not let these pile up behind it.
    if (this.#isMaintaining) return;
    this.#isMaintaining = true;
    void this.#queue.runBetween(async () => {
      try {
        await this.#watch(this.#storage.maintain());
      } catch (error) {
        // `onFailure` has been told.
        if (!hasCode(error, 'STORAGE_FAILED')) throw error;
      } finally {
        this.#isMaintaining = false;
      }
    });
  }

  /** Lets `onFailure` know, once, when a call ends with the storage failed for good. */
  async #watch<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      if (hasCode(error, 'STORAGE_FAILED') && !this.#hasFailed) {
        this.#hasFailed = true;
        this.#onFailure(error);
      }
      throw error;
    }
  }
}
