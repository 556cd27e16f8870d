import type { Receipt } from '../../ledger/receipt.ts';
import type { Draft, Head } from '../../ledger/reprice.ts';
import { isSameAmount } from '../../model/price.ts';
import type { ProductId } from '../../model/product-id.ts';
import { formatTimestamp } from '../../model/timestamp.ts';

/*
 * The bodies of answers to a reprice. JSON.stringify cannot print 3.50 as a number, so the prices are
 * put between what it prints.
 */

/**
 * What was recorded, with the names and in the order of the journal's line, whether that changed the
 * amount, and where the line stands.
 */
export function presentReceipt({ record, place }: Receipt): string {
  const { seq, batch, productId, version, previousPrice, newPrice, timestamp } = record;
  const { currency, source, reason, idempotencyKey, actor } = record;
  const { file, offset, length } = place;
  return join(
    { seq, batch, productId, version },
    `"previousPrice":${previousPrice},"newPrice":${newPrice}`,
    {
      timestamp: formatTimestamp(timestamp),
      ...{ currency, source, reason, idempotencyKey, actor },
      unchanged: isUnchanged(record),
      ...{ file, offset, length },
    },
  );
}

/** What would be recorded, but for what only a commit gives: seq, batch, time and place. */
export function presentDraft(draft: Draft): string {
  const { productId, version, previousPrice, newPrice, currency, source, reason } = draft;
  const { idempotencyKey, actor } = draft;
  return join({ productId, version }, `"previousPrice":${previousPrice},"newPrice":${newPrice}`, {
    ...{ currency, source, reason, idempotencyKey, actor },
    unchanged: isUnchanged(draft),
    dryRun: true,
  });
}

/** What stays as it is, when a price was to be recorded only if it changed. */
export function presentUnchanged(productId: ProductId, { version, price }: Head): string {
  return join({ productId, version }, `"price":${price}`, { unchanged: true });
}

export function isUnchanged({ previousPrice, newPrice }: Draft): boolean {
  return previousPrice !== null && isSameAmount(previousPrice, newPrice);
}

function join(before: object, prices: string, after: object): string {
  return `${JSON.stringify(before).slice(0, -1)},${prices},${JSON.stringify(after).slice(1)}`;
}
