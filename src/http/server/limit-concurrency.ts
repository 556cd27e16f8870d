import type { Middleware } from 'koa';
import { RepricerError } from '../../errors.ts';
import { whenAnswered } from './when-answered.ts';

/**
 * Lets at most `requestsMax` requests be served at once and refuses the next one with `code`, so
 * that slow ones cannot pile up. A streamed answer is being served until its stream has closed. Each call
 * makes a limit with a count of its own.
 */
export function limitConcurrency(
  requestsMax: number,
  code: 'TOO_MANY_READS' | 'TOO_MANY_BATCHES' = 'TOO_MANY_READS',
): Middleware {
  let active = 0;
  const leave = () => {
    active -= 1;
  };
  return async function limitConcurrency(ctx, next) {
    if (active >= requestsMax) {
      throw new RepricerError(code, `${requestsMax} requests are being served`);
    }
    active += 1;
    try {
      await next();
    } catch (error) {
      leave();
      throw error;
    }
    whenAnswered(ctx, leave);
  };
}
