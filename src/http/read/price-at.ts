import type { RouterMiddleware } from '@koa/router';
import type { PriceLedger } from '../../ledger/price-ledger.ts';
import type { Timestamp } from '../../model/timestamp.ts';
import { instantForm } from '../input/instant-form.ts';
import { parsePathProductId } from '../input/path-product-id.ts';
import { QueryParameters } from '../input/query-parameters.ts';
import { presentPriceInForce } from './present-price-in-force.ts';

/**
 * GET /api/product/{productId}/price?at=: the price in force at a moment. Without `at` it leaves the
 * request to the next handler. There is no ETag: the version stays when `validTo` comes to be known.
 */
export function priceAtHandler(ledger: Pick<PriceLedger, 'priceAt'>): RouterMiddleware {
  return async function priceAt(ctx, next) {
    const at = parseAt(ctx.querystring);
    if (at === undefined) {
      await next();
      return;
    }
    const productId = parsePathProductId(ctx.captures?.[0]);
    const price = await ledger.priceAt(productId, at);
    ctx.set('Cache-Control', 'no-cache');
    ctx.type = 'json';
    ctx.body = presentPriceInForce(price);
  };
}

function parseAt(queryString: string): Timestamp | undefined {
  const parameters = new QueryParameters(queryString);
  // A record of the same microsecond is in force for the rest of it.
  const at = parameters.one(['at'], instantForm('down'));
  parameters.refuseRest();
  return at;
}
