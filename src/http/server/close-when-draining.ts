import type { Middleware } from 'koa';

/**
 * Ends connections while the service is stopping. It asks after the request was served: an answer
 * that was in the making when the stop began must not invite another request either. Where the rest of
 * the request is still to come the connection ends after that, or the client might lose the answer.
 */
export function closeWhenDraining(isDraining: () => boolean): Middleware {
  return async function closeWhenDraining(ctx, next) {
    await next();
    if (isDraining() && ctx.req.complete) ctx.set('Connection', 'close');
  };
}
