import type { RouterMiddleware } from '@koa/router';
import type { PriceLedger } from '../../ledger/price-ledger.ts';
import { parsePathProductId } from '../input/path-product-id.ts';
import { isKnownToClient } from '../server/is-known-to-client.ts';
import { presentPrice } from './present-price.ts';

/** GET /api/product/{productId}/price: the price now, or 304 when the client has this version. */
export function currentPriceHandler(ledger: Pick<PriceLedger, 'currentPrice'>): RouterMiddleware {
  return async function currentPrice(ctx) {
    const productId = parsePathProductId(ctx.captures?.[0]);
    const record = await ledger.currentPrice(productId);
    const etag = `"${record.version}"`;
    ctx.set('ETag', etag);
    ctx.set('Cache-Control', 'no-cache');
    ctx.type = 'json';
    ctx.body = presentPrice(record);
    if (isKnownToClient(ctx, etag)) ctx.status = 304;
  };
}
