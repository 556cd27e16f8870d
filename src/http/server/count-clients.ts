import type { Context, Middleware } from 'koa';
import type { ClientStatistics } from '../../access/client-statistics.ts';
import type { RequestTally } from '../../access/client-usage.ts';
import { codeOf, type ErrorCode } from '../../errors.ts';
import { whenAnswered } from './when-answered.ts';

declare module 'koa' {
  interface DefaultState {
    /** What became of the reprices of the request; undefined where it is none, or they all were refused. */
    reprices?: Pick<RequestTally, 'accepted' | 'refused'>;
  }
}

/** Counts every request for its client, and what became of it once it is answered. */
export function countClients(statistics: Pick<ClientStatistics, 'countRequest'>): Middleware {
  return async function countClients(ctx, next) {
    await next();
    const usage = statistics.countRequest(ctx.state.client?.name, ctx.req.socket);
    whenAnswered(ctx, () => usage.addTally(tallyOf(ctx)));
  };
}

const nothingRefused: ReadonlyMap<ErrorCode, number> = new Map();

function tallyOf({ state: { failure, reprices } }: Context): RequestTally {
  const { accepted = 0, refused = nothingRefused } = reprices ?? {};
  // A batch that failed because of its lines has those lines counted.
  if (failure !== undefined && refused.size === 0) {
    return { accepted, read: 0, refused: new Map([[codeOf(failure), 1]]) };
  }
  return { accepted, read: reprices === undefined ? 1 : 0, refused };
}
