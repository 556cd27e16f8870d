import type { RouterMiddleware } from '@koa/router';
import type { Context } from 'koa';
import type { PriceLedger } from '../../ledger/price-ledger.ts';
import type { RepriceResult } from '../../ledger/reprice.ts';
import type { ProductId } from '../../model/product-id.ts';
import { clientOf } from '../access/authenticate.ts';
import { requireProduct } from '../access/require-access.ts';
import { parseIdempotencyKey } from '../input/idempotency-key.ts';
import { presentDraft, presentReceipt, presentUnchanged } from '../read/present-receipt.ts';
import { parsePreconditions } from './preconditions.ts';
import { parsePriceUpdate } from './price-update-body.ts';
import { parseRepriceParameters } from './reprice-parameters.ts';
import { RepriceTally } from './reprice-tally.ts';

/** POST /api/reprice: answers once the record is on disk. */
export function repriceHandler(ledger: Pick<PriceLedger, 'reprice'>): RouterMiddleware {
  return async function reprice(ctx) {
    const { update, terms } = parsePriceUpdate(ctx.request.rawBody);
    const client = clientOf(ctx);
    requireProduct(client, update.productId);
    const idempotencyKey = parseIdempotencyKey(ctx);
    const signed = {
      ...update,
      ...(idempotencyKey !== undefined && { idempotencyKey }),
      ...(client.name !== undefined && { actor: client.name }),
    };
    const result = await ledger.reprice(signed, {
      ...terms,
      ...parseRepriceParameters(ctx.querystring),
      ...parsePreconditions(ctx.req.headers),
    });
    ctx.state.reprices = tallyOf(result);
    answer(ctx, update.productId, result);
  };
}

function tallyOf(result: RepriceResult): RepriceTally {
  const tally = new RepriceTally();
  tally.add({ result });
  return tally;
}

function answer(ctx: Context, productId: ProductId, result: RepriceResult): void {
  // The client may have a gateway before it that knows one of the two only.
  const base = ctx.path.startsWith('/api/v1/') ? '/api/v1' : '/api';
  ctx.set('Location', `${base}/product/${encodeURIComponent(productId)}/price`);
  switch (result.kind) {
    case 'recorded':
      answerRecorded(ctx, result);
      break;
    case 'unchanged':
      ctx.set('ETag', `"${result.head.version}"`);
      answerBody(ctx, 200, presentUnchanged(productId, result.head));
      break;
    case 'dry run':
      answerBody(ctx, 200, presentDraft(result.draft));
      break;
  }
}

function answerRecorded(
  ctx: Context,
  { receipt, isReplayed }: Extract<RepriceResult, { kind: 'recorded' }>,
): void {
  const { version, seq } = receipt.record;
  ctx.set('ETag', `"${version}"`);
  ctx.set('Repricer-Seq', String(seq));
  if (isReplayed) ctx.set('Idempotent-Replayed', 'true');
  if (prefersRepresentation.test(ctx.get('Prefer'))) {
    ctx.set('Preference-Applied', 'return=representation');
    answerBody(ctx, 202, presentReceipt(receipt));
  } else {
    ctx.body = null;
    // Setting an empty body makes the status 204, so it is set last.
    ctx.status = 202;
  }
}

function answerBody(ctx: Context, status: number, body: string): void {
  ctx.status = status;
  ctx.type = 'json';
  ctx.body = body;
}

/** RFC 7240: preferences stand in a list, and a value may be quoted. */
const prefersRepresentation =
  /(?:^|,)[ \t]*return[ \t]*=[ \t]*("?)representation\1[ \t]*(?:[,;]|$)/i;
