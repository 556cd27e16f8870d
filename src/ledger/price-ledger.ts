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
import type { PriceQuery } from './price-query.ts';
import type { Preconditions, Receipt } from './receipt.ts';
import { UnionRecords } from './union-records.ts';
import { type Outcome, WriteQueue } from './write-queue.ts';

export interface LedgerOptions {
  /** Records that may wait or be written at a time. */
  readonly queueMax: number;
  /** Products whose last price is kept in memory. */
  readonly lastPricesMax: number;
}

/** Is called with the records of a batch that is on disk and in every read, before its receipts are given. */
export type CommitListener = (records: readonly PriceRecord[]) => void;

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
  readonly #maintenance: NodeJS.Timeout;
  #lastSeq: number;
  #lastTimestamp: Timestamp | undefined;
  /** Counts batches, so that a read can tell that none was committed while it read. */
  #commits = 0;
  readonly #commitListeners = new Set<CommitListener>();
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
    const known = this.#lastPrices.get(productId);
    if (known !== undefined) return known;
    const commits = this.#commits;
    const record = await this.#storage.lastRecord(productId);
    if (record === undefined) {
      throw new RepricerError('UNKNOWN_PRODUCT', 'no price was ever recorded for this product');
    }
    // What was read may be old by now; kept, it would become a wrong previousPrice.
    if (commits === this.#commits) this.#lastPrices.set(record);
    return record;
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

  /** Tells `listener` of every batch that is committed from now on, in order; the function returned ends that. */
  onCommit(listener: CommitListener): () => void {
    this.#commitListeners.add(listener);
    return () => void this.#commitListeners.delete(listener);
  }

  /** Refuses new writes, gives every accepted one its true answer, and closes the storage. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#maintenance);
    await this.#queue.drained();
    await this.#storage.close();
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
    for (const listener of this.#commitListeners) listener(records);
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
