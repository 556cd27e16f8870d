import type { PriceInForce } from '../../ledger/price-in-force.ts';
import { formatEpochSeconds } from '../../model/timestamp.ts';
import { presentPrice } from './present-price.ts';

/** A price as other reads show it, with the time that it held; `validTo` is null while it still does. */
export function presentPriceInForce({ record, validTo }: PriceInForce): string {
  const price = presentPrice(record).slice(0, -1);
  const from = formatEpochSeconds(record.timestamp);
  const to = validTo === null ? null : formatEpochSeconds(validTo);
  return `${price},"validFrom":${from},"validTo":${to}}`;
}
