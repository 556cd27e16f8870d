import type { IncomingMessage } from 'node:http';
import type { RouterMiddleware } from '@koa/router';
import type { PriceLedger } from '../../ledger/price-ledger.ts';
import type { PriceRecord } from '../../model/price-record.ts';
import { parsePathProductId } from '../input/path-product-id.ts';
import { type Answer, answerWith, jsonMediaType } from '../server/answer.ts';
import { isKnownToClient } from '../server/is-known-to-client.ts';
import { presentPrice } from './present-price.ts';

/** GET /api/product/{productId}/price: the price now, or 304 when the client has this version. */
export function currentPriceHandler(ledger: Pick<PriceLedger, 'currentPrice'>): RouterMiddleware {
  return async function currentPrice(ctx) {
    const record = await ledger.currentPrice(parsePathProductId(ctx.captures?.[0]));
    answerWith(ctx, priceAnswer(record, ctx.req));
  };
}

export function priceAnswer(
  record: PriceRecord,
  request: Pick<IncomingMessage, 'headers'>,
): Answer {
  const etag = `"${record.version}"`;
  if (isKnownToClient(request, etag)) {
    return { status: 304, headers: { ETag: etag, 'Cache-Control': 'no-cache' }, body: undefined };
  }
  return {
    status: 200,
    headers: { ETag: etag, 'Cache-Control': 'no-cache', 'Content-Type': jsonMediaType },
    body: presentPrice(record),
  };
}
