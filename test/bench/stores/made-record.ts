import { type Price, toPrice } from '../../../src/model/price.ts';
import type { PriceRecord } from '../../../src/model/price-record.ts';
import type { ProductId } from '../../../src/model/product-id.ts';
import { toTimestamp } from '../../../src/model/timestamp.ts';
import type { StoreSize } from './store-size.ts';

/** The product that has every odd seq. */
export const longProduct = 'long' as ProductId;

/** Records that were written together. */
const batchRecords = 1000;
const firstMicros = Date.UTC(2026, 0, 1) * 1000;
/** All records lie within one day, as a segment's records must, whatever their number. */
const spanMicros = 80_000 * 1_000_000;

/** The names of the other products are `product-0` and so on. */
export function madeProduct(index: number): ProductId {
  return `product-${index}` as ProductId;
}

/** The seqs of the long product, in order. */
export function* oddSeqs({ records }: StoreSize): Generator<number> {
  for (let seq = 1; seq <= records; seq += 2) yield seq;
}

/** The seqs of one of the other products, in order. */
export function* seqsOf(index: number, { records, products }: StoreSize): Generator<number> {
  for (let seq = 2 * (index + 1); seq <= records; seq += 2 * products) yield seq;
}

/** The record with a seq: always the same for a size, so that none has to be kept to be written twice. */
export function madeRecord(seq: number, { records, products }: StoreSize): PriceRecord {
  const turn = seq % 2 === 1 ? (seq - 1) / 2 : Math.floor((seq / 2 - 1) / products);
  const name = seq % 2 === 1 ? longProduct : madeProduct((seq / 2 - 1) % products);
  const batch = seq - ((seq - 1) % batchRecords);
  const batchSize = Math.min(batchRecords, records - batch + 1);
  return {
    ...{ seq, batch, productId: name, version: turn + 1 },
    previousPrice: turn === 0 ? null : priceOf(seq % 2 === 1 ? seq - 2 : seq - 2 * products),
    newPrice: priceOf(seq),
    timestamp: toTimestamp(firstMicros + seq * Math.floor(spanMicros / records)),
    ...(seq === batch && batchSize > 1 && { batchSize }),
  };
}

/** The seqs of the batch that follows a seq. */
export function batchAfter(seq: number, { records }: StoreSize): readonly number[] {
  const length = Math.min(batchRecords, records - seq);
  return Array.from({ length }, (_, index) => seq + 1 + index);
}

function priceOf(seq: number): Price {
  const price = toPrice((1 + ((seq * 7919) % 99_991) / 100).toFixed(2));
  if (price === undefined) throw new Error('a made price is a price');
  return price;
}
