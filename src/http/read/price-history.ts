import type { RouterMiddleware } from '@koa/router';
import type { PriceLedger } from '../../ledger/price-ledger.ts';
import { parsePathProductId } from '../input/path-product-id.ts';
import { parseHistoryRange } from './history-parameters.ts';
import { presentHistory } from './present-history.ts';

/** GET /api/product/{productId}/history: figures of the price in buckets of equal length. */
export function priceHistoryHandler(ledger: Pick<PriceLedger, 'history'>): RouterMiddleware {
  return async function priceHistory(ctx) {
    const range = parseHistoryRange(ctx.querystring);
    const productId = parsePathProductId(ctx.captures?.[0]);
    // A million records take seconds, and the client may have gone.
    const buckets = await ledger.history(productId, range, () => !ctx.res.closed);
    ctx.set('Cache-Control', 'no-cache');
    ctx.type = 'json';
    ctx.body = presentHistory(productId, buckets);
  };
}
