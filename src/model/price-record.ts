import type { Price } from './price.ts';
import type { ProductId } from './product-id.ts';
import type { Timestamp } from './timestamp.ts';

/** What a client asks for: a product's new price, and what it wants noted beside it. */
export interface PriceUpdate {
  readonly productId: ProductId;
  readonly newPrice: Price;
  /** ISO 4217 code. */
  readonly currency?: string;
  /** Who or what set the price, at most 200 characters. */
  readonly source?: string;
  /** Why, at most 200 characters. */
  readonly reason?: string;
  /** What the client names this request by, so that it is recorded once however often it is sent. */
  readonly idempotencyKey?: string;
  /** The name of the token that the request came with, at most 48 characters. */
  readonly actor?: string;
}

/** One price change: one line of the journal, and the same line of its product file. */
export interface PriceRecord extends PriceUpdate {
  /** 1, 2, 3 … over all records. */
  readonly seq: number;
  /** The first seq of the batch: the records that were written and synced together. */
  readonly batch: number;
  /** 1, 2, 3 … within the product. */
  readonly version: number;
  /** The price that this one replaced; null for version 1. */
  readonly previousPrice: Price | null;
  /** Strictly increasing with seq. */
  readonly timestamp: Timestamp;
  /**
   * How many records the batch has: in its first record, when it has more than one. Recovery needs
   * it to tell a whole last batch from one that was cut between two lines.
   */
  readonly batchSize?: number;
}

/** A record and where its line stands. */
export interface PlacedRecord {
  readonly record: PriceRecord;
  readonly place: RecordPlace;
}

/** Where a record's line stands. */
export interface RecordPlace {
  /** The sealed segment's path within the data directory, also while it is still open. */
  readonly file: string;
  /** First byte of the line. */
  readonly offset: number;
  /** Bytes of the line, its `\n` included. */
  readonly length: number;
}
