import type { Middleware } from 'koa';
import { RepricerError } from '../../errors.ts';

/** Refuses a request that expects more than `100-continue`; HTTP/1.0 knows no expectations, and they mean nothing there. */
export function requireExpectation(): Middleware {
  return function requireExpectation(ctx, next) {
    const expected = ctx.get('Expect').toLowerCase();
    if (expected !== '' && expected !== '100-continue' && ctx.req.httpVersion !== '1.0') {
      throw new RepricerError('EXPECTATION_FAILED', 'The only expectation met is 100-continue.');
    }
    return next();
  };
}
