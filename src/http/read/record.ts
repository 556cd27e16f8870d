import type { RouterMiddleware } from '@koa/router';
import type { PriceLedger } from '../../ledger/price-ledger.ts';
import { clientOf } from '../access/authenticate.ts';
import { requireProduct } from '../access/require-access.ts';
import { parsePathSeq } from '../input/path-seq.ts';
import { presentReceipt } from './present-receipt.ts';

/**
 * GET /api/record/{seq}: a record and where its line stands, as its receipt told. The record never
 * changes, but a store that is restored from a backup gives its seq to another one, so nobody keeps it.
 */
export function recordHandler(ledger: Pick<PriceLedger, 'record'>): RouterMiddleware {
  return async function record(ctx) {
    const receipt = await ledger.record(parsePathSeq(ctx.captures?.[0]));
    requireProduct(clientOf(ctx), receipt.record.productId);
    ctx.type = 'json';
    ctx.body = presentReceipt(receipt);
  };
}
