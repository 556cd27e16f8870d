import type { Middleware } from 'koa';
import type { RateBucket } from '../../access/rate-bucket.ts';
import { clientOf } from './authenticate.ts';
import { type RateLimiter, secondsUntilNext } from './rate-limiter.ts';

declare module 'koa' {
  interface DefaultState {
    /** What the client may still ask for; undefined when nobody is limited. */
    rate?: RateBucket;
  }
}

/**
 * Refuses a client that asks more often than it may, with 429 and when to come again, and tells every
 * client in every answer what is left.
 */
export function limitRate(limiter: RateLimiter): Middleware {
  return function limitRate(ctx, next) {
    const { rate, isTaken, headers } = limiter.take(clientOf(ctx), ctx.req);
    ctx.state.rate = rate;
    ctx.set(headers);
    if (!isTaken) {
      ctx.set('Retry-After', String(secondsUntilNext(rate)));
      throw limiter.refusal;
    }
    return next();
  };
}
