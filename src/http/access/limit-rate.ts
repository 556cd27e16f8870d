import type { Context, Middleware } from 'koa';
import { clientNetwork } from '../../access/client-network.ts';
import { ClientRates } from '../../access/client-rates.ts';
import type { RateBucket, RateLimits } from '../../access/rate-bucket.ts';
import { RepricerError } from '../../errors.ts';
import { clientOf } from './authenticate.ts';

declare module 'koa' {
  interface DefaultState {
    /** What the client may still ask for; undefined when nobody is limited. */
    rate?: RateBucket;
  }
}

const policyName = '"client"';

/**
 * Refuses a client that asks more often than it may, with 429 and when to come again, and tells every
 * client in every answer what is left (draft-ietf-httpapi-ratelimit-headers-11). A client is its token,
 * or without one its network as the connection has it: anyone may write an X-Forwarded-For.
 */
export function limitRate(limits: RateLimits): Middleware {
  const rates = new ClientRates(limits);
  const { clientRate, clientBurst } = limits;
  const policy = `${policyName};q=${clientBurst};w=${Math.ceil(clientBurst / clientRate)}`;
  return function limitRate(ctx, next) {
    const rate = rates.bucketOf(keyOf(ctx));
    const isTaken = rate.take(1) === 1;
    ctx.state.rate = rate;
    ctx.set('RateLimit-Policy', policy);
    ctx.set('RateLimit', presentRate(rate, clientRate));
    if (!isTaken) {
      ctx.set('Retry-After', String(secondsUntilNext(rate)));
      const why = `At most ${clientRate} requests a second, and ${clientBurst} at once; nothing was done.`;
      throw new RepricerError('RATE_LIMITED', why);
    }
    return next();
  };
}

function keyOf(ctx: Context): string {
  const { name } = clientOf(ctx);
  // A name has no colon.
  return name ?? `:${clientNetwork(ctx.req.socket.remoteAddress ?? '')}`;
}

/** `t` is the time in which what is left is used up at the rate at which it comes back. */
function presentRate(rate: RateBucket, perSecond: number): string {
  const left = Math.max(0, rate.level);
  const seconds = left === 0 ? secondsUntilNext(rate) : Math.ceil(left / perSecond);
  return `${policyName};r=${left};t=${seconds}`;
}

function secondsUntilNext(rate: RateBucket): number {
  return Math.max(1, Math.ceil(rate.msUntil(1) / 1000));
}
