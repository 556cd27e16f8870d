import type { ProductId } from '../model/product-id.ts';
import type { Timestamp } from '../model/timestamp.ts';

/** Which records, in which order, and which page of them. */
export interface PriceQuery {
  /** The records of any of these products; of all products when empty. */
  readonly productIds: readonly ProductId[];
  /** First moment of the range, itself included; from the beginning when absent. */
  readonly from?: Timestamp;
  /** Last moment of the range, itself included; up to now when absent. */
  readonly to?: Timestamp;
  /** By seq; `'asc'` is oldest first. */
  readonly order: 'asc' | 'desc';
  /** Records in a page, at least 1. */
  readonly pageSize: number;
  /** 1 is the first page; a page past the end is empty. */
  readonly pageNumber: number;
}
