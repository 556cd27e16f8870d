import type { RouterMiddleware } from '@koa/router';
import type { PriceLedger } from '../../ledger/price-ledger.ts';
import { clientOf } from '../access/authenticate.ts';
import { answerWith } from '../server/answer.ts';
import { answerReprice } from './answer-reprice.ts';

/** POST /api/reprice: answers once the record is on disk. */
export function repriceHandler(ledger: Pick<PriceLedger, 'reprice'>): RouterMiddleware {
  return async function reprice(ctx) {
    const { req: request, path, querystring: queryString } = ctx;
    const asked = {
      ...{ request, path, queryString },
      body: ctx.request.rawBody,
      client: clientOf(ctx),
    };
    const answer = await answerReprice(asked, ledger);
    ctx.state.reprices = answer.reprices;
    answerWith(ctx, answer);
  };
}
