import type { Middleware } from 'koa';
import { RepricerError } from '../../errors.ts';

/**
 * Refuses every transfer coding but `chunked` alone, and any of HTTP/1.0 (RFC 9112, section 6.1), and
 * ends the connection: whoever stands before us may have seen the body end somewhere else. Node takes
 * whatever ends with `chunked`, and would hand over compressed bytes as the body.
 */
export function requireFraming(): Middleware {
  return function requireFraming(ctx, next) {
    const coding = ctx.req.headers['transfer-encoding'];
    const isKnown = coding?.toLowerCase() === 'chunked' && ctx.req.httpVersion !== '1.0';
    if (coding !== undefined && !isKnown) {
      ctx.set('Connection', 'close');
      throw new RepricerError(
        'BAD_REQUEST',
        'The only transfer coding taken is chunked, once and with HTTP/1.1.',
      );
    }
    return next();
  };
}
