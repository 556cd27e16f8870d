import type { PriceList, ProductPage } from '../../ledger/price-list.ts';
import { presentPrices } from './present-price.ts';

export function presentPriceList({ prices, missing, pending }: PriceList): string {
  return (
    `{"prices":${presentPrices(prices)},"missing":${JSON.stringify(missing)}` +
    `,"pending":${JSON.stringify(pending)}}`
  );
}

export function presentProducts({ prices, pending }: ProductPage): string {
  return `{"products":${presentPrices(prices)},"pending":${JSON.stringify(pending)}}`;
}
