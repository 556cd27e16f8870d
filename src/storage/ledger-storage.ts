import type { PlacedRecord, PriceRecord, RecordPlace } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';
import type { Timestamp } from '../model/timestamp.ts';
import type { KeyedRecords } from './keyed-records.ts';
import type { RecordSequence } from './record-sequence.ts';
import type { Snapshot } from './snapshot.ts';

/** How often the ledger calls `maintain`. */
export const maintenanceIntervalMs = 1000;

/** Which products a listing wants next. */
export interface ProductScan {
  /** Their ids begin with it, compared code point by code point. */
  readonly prefix: string;
  /** The place that the scan goes on from, as `next` told it; the beginning when undefined. */
  readonly after: string | undefined;
  readonly productsMax: number;
  /** How many products are looked at, whatever their ids begin with. */
  readonly scannedMax: number;
}

/** What a scan found, in the storage's own order, which never changes. */
export interface ScannedProducts {
  readonly productIds: readonly ProductId[];
  /** Where to go on; undefined when nothing follows. */
  readonly next: string | undefined;
}

/**
 * What the ledger needs of a storage driver. The ledger decides order, versions and previous prices;
 * the driver keeps records and finds them again.
 *
 * `append` and `maintain` are called one at a time (the ledger's commit lane sees to it); the reads
 * may run at any time, and see every record whose `append` has resolved.
 */
export interface LedgerStorage {
  /** The seq of the last record on disk; 0 in an empty store. */
  readonly lastSeq: number;

  /** The timestamp of the last record on disk; undefined in an empty store. */
  readonly lastTimestamp: Timestamp | undefined;

  /**
   * Appends one batch. When it resolves, all of its records are on disk. When it rejects, none will
   * ever be read: `NO_SPACE`, `BACKLOG_FULL` and `STORAGE_BUSY` leave the storage usable, after
   * `STORAGE_FAILED` it takes no more batches.
   */
  append(batch: readonly PriceRecord[]): Promise<readonly RecordPlace[]>;

  /** Rejects as `append` of so many records would now, for want of room; called as it is. */
  requireRoom(records: number): Promise<void>;

  /**
   * Work that is due by the clock and not by a write, such as sealing a segment at midnight. Rejects
   * with `STORAGE_FAILED` only; what can be tried again is reported and waits for the next call.
   */
  maintain(): Promise<void>;

  /** The product's last record; undefined when it has none. */
  lastRecord(productId: ProductId): Promise<PriceRecord | undefined>;

  /** The record with this seq and where its line stands, found in O(log n); undefined when there is none yet. */
  recordAt(seq: number): Promise<PlacedRecord | undefined>;

  /** The newest records with an idempotency key, at most `countMax`, not older than `since`. */
  keyedRecords(since: Timestamp, countMax: number): Promise<KeyedRecords>;

  /** The product's last record if that takes no reading of a file; undefined otherwise. */
  lastRecordInMemory(productId: ProductId): PriceRecord | undefined;

  /**
   * Some of the products. Whoever goes on from `next` to `next` until there is none finds every product
   * exactly once whose first `append` resolved before the first call, whatever is appended meanwhile.
   */
  listProducts(scan: ProductScan): Promise<ScannedProducts>;

  /** All records of one product. */
  productRecords(productId: ProductId): Promise<RecordSequence>;

  /** All records. */
  allRecords(): Promise<RecordSequence>;

  /** Ends the segment that is being written; called as `append` is. Rejects as `append` does. */
  seal(): Promise<void>;

  /** When it resolves, what is made from the journal holds every record appended before, on disk; gives that seq. */
  flush(): Promise<number>;

  /** A consistent cut with every record whose `append` has resolved, to copy the store from. */
  snapshot(): Promise<Snapshot>;

  /** Puts everything in its final place. After `STORAGE_FAILED`: only lets go of what is open. */
  close(): Promise<void>;
}
