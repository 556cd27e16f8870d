import type { PriceRecord } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';
import type { ReadRecords } from './price-reads.ts';

/** The last prices of several products. Each of them stands in one of the lists, in the order asked for. */
export interface PriceList {
  readonly prices: readonly PriceRecord[];
  /** Products that never had a price. */
  readonly missing: readonly ProductId[];
  /** Products of which the last price could not be read, or not in time; a later read may well succeed. */
  readonly pending: readonly ProductId[];
}

/** One page of the products. */
export interface ProductPage extends Omit<PriceList, 'missing'> {
  /** Where the next page goes on; undefined after the last one. */
  readonly next: string | undefined;
}

/** Tells of each product what is known: its last record, that it has none, or nothing. */
export function listPrices(productIds: readonly ProductId[], known: ReadRecords): PriceList {
  return {
    prices: productIds.flatMap((productId) => known.get(productId) ?? []),
    missing: productIds.filter((id) => known.has(id) && known.get(id) === undefined),
    pending: productIds.filter((productId) => !known.has(productId)),
  };
}
