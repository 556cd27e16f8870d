import type { RouterMiddleware } from '@koa/router';
import type { PriceLedger } from '../../ledger/price-ledger.ts';
import { clientOf } from '../access/authenticate.ts';
import { requireProducts } from '../access/require-access.ts';
import { presentPriceList } from './present-price-list.ts';
import { parsePriceListRequest } from './price-list-body.ts';

/** POST /api/products/prices: the prices that are known in time. A read; it is a POST for its body alone. */
export function currentPricesHandler(ledger: Pick<PriceLedger, 'currentPrices'>): RouterMiddleware {
  return async function currentPrices(ctx) {
    const startedMs = performance.now();
    const { productIds, waitMs } = parsePriceListRequest(ctx.request.rawBody);
    requireProducts(clientOf(ctx), productIds);
    // A thousand of the longest ids take a while to be read, which the client waits for as well.
    const restMs = Math.max(0, waitMs - (performance.now() - startedMs));
    const list = await ledger.currentPrices(productIds, restMs);
    ctx.type = 'json';
    ctx.body = presentPriceList(list);
  };
}
