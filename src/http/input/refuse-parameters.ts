import type { Middleware } from 'koa';
import { QueryParameters } from './query-parameters.ts';

/** For a route that takes no query parameters: one that is given was meant to change the answer. */
export function refuseParameters(): Middleware {
  return function refuseParameters(ctx, next) {
    new QueryParameters(ctx.querystring).refuseRest();
    return next();
  };
}
