import type { Middleware } from 'koa';

/** What every response carries; an answer that may be kept overrides `Cache-Control`. */
export const headersOfAll = {
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
} as const;

/** Sets what every response carries. */
export function defaultHeaders(): Middleware {
  return function defaultHeaders(ctx, next) {
    ctx.set(headersOfAll);
    return next();
  };
}
