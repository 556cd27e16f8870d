import type { Middleware } from 'koa';
import { RepricerError } from '../errors.ts';

/**
 * Lets at most `requestsMax` requests be served at once and refuses the next one at once, so that
 * slow reads cannot pile up. Each call makes a limit with a count of its own.
 */
export function limitConcurrency(requestsMax: number): Middleware {
  let active = 0;
  return async function limitConcurrency(_ctx, next) {
    if (active >= requestsMax) {
      throw new RepricerError('TOO_MANY_READS', `${requestsMax} requests are being served`);
    }
    active += 1;
    try {
      await next();
    } finally {
      active -= 1;
    }
  };
}
