import type { PriceRecord } from '../../model/price-record.ts';
import { formatEpochSeconds } from '../../model/timestamp.ts';

/**
 * A price as reads show it. JSON.stringify cannot print 3.50 as a number, so the text is put together
 * here; prices and timestamps are exact decimal text and need no quoting.
 */
export function presentPrice(record: PriceRecord): string {
  const { productId, newPrice, timestamp, previousPrice, version, seq } = record;
  return (
    `{"productId":${JSON.stringify(productId)},"price":${newPrice}` +
    `,"timestamp":${formatEpochSeconds(timestamp)},"previousPrice":${previousPrice}` +
    `,"version":${version},"seq":${seq}}`
  );
}

/** The prices of a page, in the order given. */
export function presentPrices(records: readonly PriceRecord[]): string {
  return `[${records.map(presentPrice).join(',')}]`;
}
