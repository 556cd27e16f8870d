import { type Price, priceFractionDigitsMax } from './price.ts';

/** The price in millionths, exactly: `'3.50'` is `3500000n`. Prices compare and add up as these. */
export function toMicrounits(price: Price): bigint {
  const [integer = '', fraction = ''] = price.split('.');
  return BigInt(integer + fraction.padEnd(priceFractionDigitsMax, '0'));
}

/** A number of millionths, not negative, as decimal text with all six fraction digits: `'3.500000'`. */
export function formatMicrounits(microunits: bigint): string {
  const digits = String(microunits).padStart(priceFractionDigitsMax + 1, '0');
  const point = digits.length - priceFractionDigitsMax;
  return `${digits.slice(0, point)}.${digits.slice(point)}`;
}
