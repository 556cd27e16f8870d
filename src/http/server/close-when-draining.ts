import type { Middleware } from 'koa';

/**
 * Ends connections while the service is stopping. It asks after the request was served: an answer
 * that was in the making when the stop began must not invite another request either.
 */
export function closeWhenDraining(isDraining: () => boolean): Middleware {
  return async function closeWhenDraining(ctx, next) {
    await next();
    if (isDraining()) ctx.set('Connection', 'close');
  };
}
