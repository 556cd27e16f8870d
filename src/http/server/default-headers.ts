import type { Middleware } from 'koa';

/** Sets what every response carries; a handler whose answer may be kept overrides `Cache-Control`. */
export function defaultHeaders(): Middleware {
  return function defaultHeaders(ctx, next) {
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.set('Cache-Control', 'no-store');
    return next();
  };
}
