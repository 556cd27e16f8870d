import type { Receipt } from '../ledger/receipt.ts';
import { formatTimestamp } from '../model/timestamp.ts';

/** What was recorded, with the names and in the order of the journal's line, and where that line stands. */
export function presentReceipt({ record, place }: Receipt): string {
  const { seq, batch, productId, version, previousPrice, newPrice, timestamp } = record;
  const { currency, source, reason } = record;
  const { file, offset, length } = place;
  const before = JSON.stringify({ seq, batch, productId, version });
  const after = JSON.stringify({
    timestamp: formatTimestamp(timestamp),
    ...{ currency, source, reason },
    ...{ file, offset, length },
  });
  // JSON.stringify cannot print 3.50 as a number, so the prices are put between.
  const prices = `"previousPrice":${previousPrice},"newPrice":${newPrice}`;
  return `${before.slice(0, -1)},${prices},${after.slice(1)}`;
}
