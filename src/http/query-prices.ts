import type { RouterMiddleware } from '@koa/router';
import type { PriceLedger } from '../ledger/price-ledger.ts';
import { clientOf } from './authenticate.ts';
import { presentPrices } from './present-price.ts';
import { parsePriceQuery } from './price-query-parameters.ts';
import { requireAllProducts, requireProduct } from './require-access.ts';

/** GET /api/query: one page of the records in a range. */
export function queryPricesHandler(ledger: Pick<PriceLedger, 'query'>): RouterMiddleware {
  return async function queryPrices(ctx) {
    const query = parsePriceQuery(ctx.querystring);
    const client = clientOf(ctx);
    if (query.productIds.length === 0) requireAllProducts(client);
    for (const productId of query.productIds) requireProduct(client, productId);
    const records = await ledger.query(query);
    ctx.set('Cache-Control', 'no-cache');
    ctx.type = 'json';
    ctx.body = presentPrices(records);
  };
}
