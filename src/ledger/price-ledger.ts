import assert from 'node:assert';
import { hasCode, RepricerError } from '../errors.ts';
import type { PriceRecord, PriceUpdate } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';
import { formatTimestamp, type Timestamp, toTimestamp } from '../model/timestamp.ts';
import { type LedgerStorage, maintenanceIntervalMs } from '../storage/ledger-storage.ts';
import type { Snapshot } from '../storage/snapshot.ts';
import type { Clock } from './clock.ts';
import { CommitLane, type CommitListener } from './commit-lane.ts';
import type { HistoryRange } from './history-range.ts';
import { IdempotencyKeys, type IdempotencyLimits } from './idempotency-keys.ts';
import type { PriceBucket } from './price-bucket.ts';
import { priceHistory } from './price-history.ts';
import { type PriceInForce, priceInForce } from './price-in-force.ts';
import type { PriceList, ProductPage } from './price-list.ts';
import { PriceQueries } from './price-queries.ts';
import type { PriceFilter, PricePage, PriceQuery } from './price-query.ts';
import { ProductPrices, unknownProduct } from './product-prices.ts';
import type { ProductQuery } from './product-query.ts';
import type { Receipt } from './receipt.ts';
import type { RepriceGroup, RepriceResult, Terms } from './reprice.ts';
import { type RepriceOutcome, RepriceOutcomes } from './reprice-outcomes.ts';
import { type Outcome, WriteQueue } from './write-queue.ts';

export interface LedgerOptions extends IdempotencyLimits {
  /** Single records that may wait or be written at a time. */
  readonly queueMax: number;
  /** Records that may be committed together. */
  readonly batchRecordsMax: number;
  /** Products whose last price is kept in memory. */
  readonly lastPricesMax: number;
}

/**
 * The price ledger: puts reprices in one order, gives each the price it replaces, and reads them.
 *
 * Invariant: a receipt is given only when its record is on disk.
 *
 * A batch that fails changes nothing. After `STORAGE_FAILED` every write is refused, `onFailure`
 * is told once, and the process has to be started again.
 */
export class PriceLedger {
  readonly #storage: LedgerStorage;
  readonly #onFailure: (error: RepricerError) => void;
  readonly #queue: WriteQueue<RepriceGroup, readonly Outcome<RepriceResult>[]>;
  readonly #outcomes = new RepriceOutcomes();
  readonly #keys: IdempotencyKeys;
  /** The keys of single requests that have no answer yet. */
  readonly #keysUnderWay = new Set<string>();
  readonly #prices: ProductPrices;
  readonly #lane: CommitLane;
  readonly #queries: PriceQueries;
  readonly #maintenance: NodeJS.Timeout;
  #isMaintaining = false;
  #isReadOnly = false;
  #isClosing = false;
  #hasFailed = false;

  private constructor(
    storage: LedgerStorage,
    options: LedgerOptions,
    clock: Clock,
    keys: IdempotencyKeys,
    onFailure: (error: RepricerError) => void,
    onTaken: (waitedSeconds: number) => void,
  ) {
    this.#storage = storage;
    this.#onFailure = onFailure;
    this.#prices = new ProductPrices(storage, options.lastPricesMax);
    this.#keys = keys;
    this.#lane = new CommitLane(storage, clock, this.#prices, keys);
    const limits = {
      itemsMax: options.queueMax,
      batchWeightMax: options.batchRecordsMax,
      weightOf: ({ reprices }: RepriceGroup) => reprices.length,
    };
    const commit = (groups: readonly RepriceGroup[]) => this.#watch(this.#lane.commit(groups));
    this.#queue = new WriteQueue(limits, commit, onTaken);
    this.#queries = new PriceQueries(storage, () => this.#lane.lastSeq);
    this.#maintenance = setInterval(() => this.#maintain(), maintenanceIntervalMs).unref();
  }

  /**
   * A ledger on a storage that has recovered, which knows the idempotency keys of its newest records.
   * `onTaken` is told how long each write waited in the queue.
   */
  static async open(
    storage: LedgerStorage,
    options: LedgerOptions,
    clock: Clock,
    onFailure: (error: RepricerError) => void,
    onTaken: (waitedSeconds: number) => void = () => {},
  ): Promise<PriceLedger> {
    const { idempotencyKeysMax, idempotencyWindowMs } = options;
    const since = toTimestamp(Math.max(0, clock() - idempotencyWindowMs * 1000));
    const keys = new IdempotencyKeys(options);
    const { records, leftOut } = await storage.keyedRecords(since, idempotencyKeysMax);
    for (const record of records) keys.add(record);
    keys.forgottenEarly += leftOut;
    return new PriceLedger(storage, options, clock, keys, onFailure, onTaken);
  }

  /** Records that wait or are being written. */
  get queueLength(): number {
    return this.#queue.length;
  }

  /** The seq of the last record that is on disk. */
  get lastSeq(): number {
    return this.#lane.lastSeq;
  }

  get cacheHits(): number {
    return this.#prices.recent.hits;
  }

  get cacheMisses(): number {
    return this.#prices.recent.misses;
  }

  /** What the reprices since the start came to. */
  get outcomes(): ReadonlyMap<RepriceOutcome, number> {
    return this.#outcomes.counts;
  }

  /** How far the clock is behind the newest record; the next one comes after it all the same. */
  get clockSkewSeconds(): number {
    return this.#lane.clockSkewSeconds;
  }

  /** Idempotency keys that are known, and how many had to be forgotten before their time. */
  get idempotencyKeys(): Pick<IdempotencyKeys, 'size' | 'forgottenEarly'> {
    return this.#keys;
  }

  /**
   * Records a price. When it resolves the record is on disk; when it rejects the record was not kept
   * (`STORAGE_FAILED`: never read again). `QUEUE_FULL`, `DRAINING`, `READ_ONLY`, `PRECONDITION_FAILED`,
   * `PRICE_CONFLICT`, `IDEMPOTENCY_KEY_IN_USE`, `IDEMPOTENCY_KEY_REUSED`, `NO_SPACE`, `BACKLOG_FULL`,
   * `STORAGE_BUSY`, `STORAGE_FAILED`.
   */
  async reprice(update: PriceUpdate, terms: Terms = {}): Promise<RepriceResult> {
    const group = { reprices: [{ update, terms }], isAtomic: false };
    const [outcome] = await this.#count(group, this.#repriceOne(group, update.idempotencyKey));
    assert(outcome !== undefined, 'a reprice has an outcome');
    if ('error' in outcome) throw outcome.error;
    return outcome.result;
  }

  /**
   * The same for many, which count for none of the queue's places: the caller bounds how many of these
   * calls there are at a time. Each reprice has an outcome of its own; the call rejects when none of
   * them could be recorded. In an atomic group that is refused the others get `FAILED_DEPENDENCY`.
   */
  async repriceAll(group: RepriceGroup): Promise<readonly Outcome<RepriceResult>[]> {
    return this.#count(group, this.#repriceMany(group));
  }

  /** The product's last record; `UNKNOWN_PRODUCT` when it has none. Sees every receipt given before. */
  async currentPrice(productId: ProductId): Promise<PriceRecord> {
    return this.#prices.one(productId);
  }

  /** The same, where it is in memory; undefined says nothing about the product. */
  currentPriceInMemory(productId: ProductId): PriceRecord | undefined {
    return this.#prices.inMemory(productId);
  }

  /**
   * The last prices of these products, each named once: what is in memory at once, and what the disk
   * gives within `waitMs`; the rest is `pending`.
   */
  async currentPrices(productIds: readonly ProductId[], waitMs: number): Promise<PriceList> {
    return this.#prices.some(productIds, waitMs);
  }

  /**
   * One page of the products and their last prices. From page to page every product is listed exactly
   * once that existed before the first; a page may have fewer than `limit`, or none, and others after it.
   */
  async listProducts(query: ProductQuery): Promise<ProductPage> {
    return this.#prices.page(query);
  }

  /** A record and where its line stands; `UNKNOWN_RECORD` when none has this seq. Sees every receipt given before. */
  async record(seq: number): Promise<Receipt> {
    const found = seq > this.lastSeq ? undefined : await this.#storage.recordAt(seq);
    if (found === undefined)
      throw new RepricerError('UNKNOWN_RECORD', 'no record has this seq yet');
    return found;
  }

  /**
   * The product's price at a moment, which may lie in the future: then it is the price now.
   * `UNKNOWN_PRODUCT` when it has none, `NO_PRICE_YET` when its first one came later.
   */
  async priceAt(productId: ProductId, at: Timestamp): Promise<PriceInForce> {
    const records = await this.#storage.productRecords(productId);
    const found = await priceInForce(records, at);
    if (found !== undefined) return found;
    const [first] = await records.slice(0, Math.min(1, records.length));
    if (first === undefined) throw unknownProduct();
    const since = formatTimestamp(first.timestamp);
    throw new RepricerError('NO_PRICE_YET', `the product's first price came later, at ${since}`);
  }

  /** The product's figures for each bucket of a range, oldest first; `UNKNOWN_PRODUCT` when it has no price. See `priceHistory`. */
  async history(
    productId: ProductId,
    range: HistoryRange,
    isWanted?: () => boolean,
  ): Promise<readonly PriceBucket[]> {
    const records = await this.#storage.productRecords(productId);
    if (records.length === 0) throw unknownProduct();
    return priceHistory(records, range, isWanted);
  }

  /** One page of the records in a range; each page is read from where it begins, however deep it lies. */
  query(query: PriceQuery): Promise<PricePage> {
    return this.#queries.page(query);
  }

  /** All records that are in a range when the first block is asked for, a block at a time. */
  scan(filter: PriceFilter): AsyncGenerator<readonly PriceRecord[], void, void> {
    return this.#queries.scan(filter);
  }

  /**
   * Tells `listener` of every batch that is committed from now on, in order; the function returned ends
   * that. A listener must not throw: what it is told of is recorded, and has to be acknowledged.
   */
  onCommit(listener: CommitListener): () => void {
    return this.#lane.onCommit(listener);
  }

  get isReadOnly(): boolean {
    return this.#isReadOnly;
  }

  /**
   * Switches writes off: they are refused with `READ_ONLY` from now on, and when this resolves none is
   * under way any more. Or on again. A restart switches them on.
   */
  async setReadOnly(isReadOnly: boolean): Promise<void> {
    this.#isReadOnly = isReadOnly;
    if (isReadOnly) await this.#queue.drained();
  }

  /** Ends the journal's open segment between two batches, so that readers see all records in whole files; gives the last seq in them. */
  async seal(): Promise<number> {
    this.#refuseWhenClosing();
    let sealedSeq = 0;
    await this.#queue.runBetween(async () => {
      await this.#watch(this.#storage.seal());
      sealedSeq = this.#lane.lastSeq;
    });
    return sealedSeq;
  }

  /** When it resolves, product files hold every record of a receipt given before, on disk; gives that seq. */
  async flush(): Promise<number> {
    this.#refuseWhenClosing();
    return this.#storage.flush();
  }

  /** A consistent cut with every record of a receipt given before, to copy the store from. */
  async snapshot(): Promise<Snapshot> {
    this.#refuseWhenClosing();
    return this.#storage.snapshot();
  }

  /** Refuses new writes, gives every accepted one its true answer, and closes the storage. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#maintenance);
    await this.#queue.drained();
    await this.#storage.close();
  }

  async #repriceOne(
    group: RepriceGroup,
    key: string | undefined,
  ): Promise<readonly Outcome<RepriceResult>[]> {
    this.#refuseWrites();
    if (key !== undefined && this.#keysUnderWay.has(key)) throw keyInUse();
    if (key !== undefined) this.#keysUnderWay.add(key);
    try {
      return await this.#queue.add(group);
    } finally {
      if (key !== undefined) this.#keysUnderWay.delete(key);
    }
  }

  async #repriceMany(group: RepriceGroup): Promise<readonly Outcome<RepriceResult>[]> {
    this.#refuseWrites();
    return this.#queue.addBeyond(group);
  }

  /** Counts what becomes of the reprices of a group. */
  async #count(
    { reprices }: RepriceGroup,
    outcomes: Promise<readonly Outcome<RepriceResult>[]>,
  ): Promise<readonly Outcome<RepriceResult>[]> {
    try {
      const all = await outcomes;
      for (const outcome of all) this.#outcomes.add(outcome);
      return all;
    } catch (error) {
      this.#outcomes.addRefused(error, reprices.length);
      throw error;
    }
  }

  #refuseWrites(): void {
    this.#refuseWhenClosing();
    if (!this.#isReadOnly) return;
    throw new RepricerError(
      'READ_ONLY',
      'an operator has switched writes off; nothing was recorded',
    );
  }

  #refuseWhenClosing(): void {
    if (!this.#isClosing) return;
    throw new RepricerError('DRAINING', 'the service is stopping; try again in a few seconds');
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

function keyInUse(): RepricerError {
  const why = 'a request with this idempotency key has no answer yet; try again in a second';
  return new RepricerError('IDEMPOTENCY_KEY_IN_USE', why);
}
