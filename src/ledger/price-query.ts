import type { PriceRecord } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';
import type { Timestamp } from '../model/timestamp.ts';

/** Which records, and in which order. */
export interface PriceFilter {
  /** The records of any of these products; of all products when empty. */
  readonly productIds: readonly ProductId[];
  /** First moment of the range, itself included; from the beginning when absent. */
  readonly from?: Timestamp;
  /** Last moment of the range, itself included; up to now when absent. */
  readonly to?: Timestamp;
  /** By seq; `'asc'` is oldest first. */
  readonly order: 'asc' | 'desc';
}

/** One page of them. */
export interface PriceQuery extends PriceFilter {
  /** Records in a page, at least 1. */
  readonly pageSize: number;
  /** 1 is the first page; a page past the end is empty. It moves with the records that are written. */
  readonly pageNumber: number;
  /** In place of a number, the page next to a record, which stays where it is whatever is written. */
  readonly beside?: Beside;
}

/** The page that ends just before, or begins just after, the record with this seq, in the order of the query. */
export interface Beside {
  readonly side: 'before' | 'after';
  readonly seq: number;
}

export interface PricePage {
  /** In the order of the query. */
  readonly records: readonly PriceRecord[];
  readonly hasPrevious: boolean;
  readonly hasNext: boolean;
}
