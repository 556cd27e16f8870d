import type { RouterMiddleware } from '@koa/router';
import type { Context } from 'koa';
import type { PriceLedger } from '../ledger/price-ledger.ts';
import type { Receipt } from '../ledger/receipt.ts';
import { parsePreconditions } from './preconditions.ts';
import { presentReceipt } from './present-receipt.ts';
import { parsePriceUpdate } from './price-update-body.ts';

/** POST /api/reprice: answers once the record is on disk. */
export function repriceHandler(ledger: Pick<PriceLedger, 'reprice'>): RouterMiddleware {
  return async function reprice(ctx) {
    const update = parsePriceUpdate(ctx.request.rawBody);
    const preconditions = parsePreconditions(ctx.get('If-None-Match'));
    const receipt = await ledger.reprice(update, preconditions);
    answerReceipt(ctx, receipt);
  };
}

function answerReceipt(ctx: Context, receipt: Receipt): void {
  const { productId, version, seq } = receipt.record;
  ctx.set('Location', `/api/product/${encodeURIComponent(productId)}/price`);
  ctx.set('ETag', `"${version}"`);
  ctx.set('Repricer-Seq', String(seq));
  if (prefersRepresentation.test(ctx.get('Prefer'))) {
    ctx.set('Preference-Applied', 'return=representation');
    ctx.type = 'json';
    ctx.body = presentReceipt(receipt);
  } else {
    ctx.body = null;
  }
  // Setting an empty body makes the status 204, so it is set last.
  ctx.status = 202;
}

/** RFC 7240: preferences stand in a list, and a value may be quoted. */
const prefersRepresentation =
  /(?:^|,)[ \t]*return[ \t]*=[ \t]*("?)representation\1[ \t]*(?:[,;]|$)/i;
