import type { RouterMiddleware } from '@koa/router';
import type { PriceLedger } from '../../ledger/price-ledger.ts';
import type { ProductQuery } from '../../ledger/product-query.ts';
import { clientOf } from '../access/authenticate.ts';
import { requirePrefix } from '../access/require-access.ts';
import { presentProducts } from './present-price-list.ts';
import { encodeProductCursor } from './product-cursor.ts';
import { parseProductQuery } from './product-query-parameters.ts';

/** GET /api/products: one page of the products, and a link to the next. */
export function listProductsHandler(
  ledger: Pick<PriceLedger, 'listProducts'>,
  pageSizeMax: number,
): RouterMiddleware {
  return async function listProducts(ctx) {
    const query = parseProductQuery(ctx.querystring, pageSizeMax);
    requirePrefix(clientOf(ctx), query.prefix);
    const page = await ledger.listProducts(query);
    if (page.next !== undefined) ctx.set('Link', linkToNext(ctx.path, query, page.next));
    ctx.set('Cache-Control', 'no-cache');
    ctx.type = 'json';
    ctx.body = presentProducts(page);
  };
}

/** RFC 8288. The parameters are percent-encoded, so nothing in them can end the link. */
function linkToNext(path: string, { prefix, limit }: ProductQuery, next: string): string {
  const parameters = [
    ...(prefix === '' ? [] : [`prefix=${encodeURIComponent(prefix)}`]),
    `limit=${limit}`,
    `cursor=${encodeProductCursor({ prefix, after: next })}`,
  ];
  return `<${path}?${parameters.join('&')}>; rel="next"`;
}
