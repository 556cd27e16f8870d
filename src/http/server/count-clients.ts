import type { Middleware } from 'koa';
import type { ClientStatistics } from '../../access/client-statistics.ts';
import { type RequestReprices, tallyOf } from './request-tally.ts';
import { whenAnswered } from './when-answered.ts';

declare module 'koa' {
  interface DefaultState {
    /** What became of the reprices of the request; undefined where it is none, or they all were refused. */
    reprices?: RequestReprices;
  }
}

/** Counts every request for its client, and what became of it once it is answered. */
export function countClients(statistics: Pick<ClientStatistics, 'countRequest'>): Middleware {
  return async function countClients(ctx, next) {
    await next();
    const usage = statistics.countRequest(ctx.state.client?.name, ctx.req.socket);
    whenAnswered(ctx, () => usage.addTally(tallyOf(ctx.state.reprices, ctx.state.failure)));
  };
}
