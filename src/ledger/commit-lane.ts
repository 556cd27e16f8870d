import assert from 'node:assert';
import type { PriceRecord } from '../model/price-record.ts';
import type { Timestamp } from '../model/timestamp.ts';
import type { LedgerStorage } from '../storage/ledger-storage.ts';
import { Batch, type Placing } from './batch.ts';
import type { Clock } from './clock.ts';
import type { IdempotencyKeys } from './idempotency-keys.ts';
import type { ProductPrices } from './product-prices.ts';
import { readCommitted } from './read-committed.ts';
import type { Receipt } from './receipt.ts';
import type { RepriceGroup, RepriceResult } from './reprice.ts';
import type { Outcome } from './write-queue.ts';

/** Is called with the records of a batch that is on disk and in every read, before its receipts are given. */
export type CommitListener = (records: readonly PriceRecord[]) => void;

/**
 * The commit lane: makes a batch of the reprices that have their turn, and puts it on disk.
 *
 * Invariant: seq is dense over all records, version within a product, and timestamps increase with seq.
 * Invariant: previousPrice is the price of the version before, and comes from committed state only.
 *
 * One batch at a time; the caller sees to it. A batch that fails changes nothing here.
 */
export class CommitLane {
  readonly #storage: LedgerStorage;
  readonly #clock: Clock;
  readonly #prices: ProductPrices;
  readonly #keys: IdempotencyKeys;
  readonly #listeners = new Set<CommitListener>();
  #lastSeq: number;
  #lastTimestamp: Timestamp | undefined;

  /** `prices` and `keys` are kept up to date with what is committed. */
  constructor(storage: LedgerStorage, clock: Clock, prices: ProductPrices, keys: IdempotencyKeys) {
    this.#storage = storage;
    this.#clock = clock;
    this.#prices = prices;
    this.#keys = keys;
    this.#lastSeq = storage.lastSeq;
    this.#lastTimestamp = storage.lastTimestamp;
  }

  /** The seq of the last record that is on disk. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** How far the clock is behind the newest record; the next one comes after it all the same. */
  get clockSkewSeconds(): number {
    const last = this.#lastTimestamp;
    return last === undefined ? 0 : Math.max(0, (last - this.#clock()) / 1_000_000);
  }

  /** See `PriceLedger.onCommit`. */
  onCommit(listener: CommitListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** For each group the outcomes of its reprices. Rejects as the storage does when none could be recorded. */
  async commit(
    groups: readonly RepriceGroup[],
  ): Promise<readonly Outcome<readonly Outcome<RepriceResult>[]>[]> {
    const reprices = groups.flatMap((group) => group.reprices);
    const batch = new Batch(
      await readCommitted(reprices, {
        lastRecordInMemory: (productId) => this.#prices.inMemory(productId),
        lastRecord: (productId) => this.#prices.beforeWrite(productId),
        receiptOf: (key) => this.#receiptOf(key),
      }),
    );
    const placings = groups.map((group) => batch.place(group));
    const records = batch.toRecords(this.#lastSeq + 1, this.#clock(), this.#lastTimestamp);
    // An append asks for room itself. Dry runs without one are refused as their records would be.
    const hasOnlyDryRuns =
      records.length === 0 && placings.flat().some(({ kind }) => kind === 'dry run');
    if (hasOnlyDryRuns) await this.#storage.requireRoom(1);
    const receipts = records.length === 0 ? [] : await this.#append(records);
    return placings.map((group) => ({ result: group.map((one) => outcomeOf(one, receipts)) }));
  }

  async #receiptOf(key: string): Promise<Receipt | undefined> {
    const seq = this.#keys.seqOf(key, this.#clock());
    return seq === undefined ? undefined : this.#storage.recordAt(seq);
  }

  async #append(records: readonly PriceRecord[]): Promise<readonly Receipt[]> {
    const places = await this.#storage.append(records);
    this.#prices.follow(records);
    for (const record of records) {
      this.#keys.add(record);
      this.#lastSeq = record.seq;
      this.#lastTimestamp = record.timestamp;
    }
    for (const listener of this.#listeners) listener(records);
    return records.flatMap((record, index) => {
      const place = places[index];
      return place === undefined ? [] : [{ record, place }];
    });
  }
}

/** `receipts`: of the batch's records. */
function outcomeOf(placing: Placing, receipts: readonly Receipt[]): Outcome<RepriceResult> {
  switch (placing.kind) {
    case 'refused':
      return { error: placing.error };
    case 'known':
      return { result: { kind: 'recorded', receipt: placing.receipt, isReplayed: true } };
    case 'placed': {
      const receipt = receipts[placing.index];
      assert(receipt !== undefined, 'every record that was appended has a receipt');
      return { result: { kind: 'recorded', receipt, isReplayed: placing.isReplayed } };
    }
    case 'unchanged':
    case 'dry run':
      return { result: placing };
  }
}
