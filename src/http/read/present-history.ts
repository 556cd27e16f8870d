import type { PriceBucket } from '../../ledger/price-bucket.ts';
import type { ProductId } from '../../model/product-id.ts';
import { formatEpochSeconds } from '../../model/timestamp.ts';

/** A product's buckets in the order given; prices and times are exact decimal text, as in `presentPrice`. */
export function presentHistory(productId: ProductId, buckets: readonly PriceBucket[]): string {
  const presented = buckets.map(presentBucket).join(',');
  return `{"productId":${JSON.stringify(productId)},"buckets":[${presented}]}`;
}

function presentBucket(bucket: PriceBucket): string {
  const { from, to, open, high, low, close, changes, timeWeightedAverage } = bucket;
  return (
    `{"from":${formatEpochSeconds(from)},"to":${formatEpochSeconds(to)}` +
    `,"open":${open},"high":${high},"low":${low},"close":${close}` +
    `,"changes":${changes},"timeWeightedAverage":${timeWeightedAverage}}`
  );
}
