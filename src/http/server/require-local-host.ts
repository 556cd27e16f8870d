import type { Middleware } from 'koa';
import { namesLoopback } from '../../access/loopback.ts';
import { RepricerError } from '../../errors.ts';

/** Refuses a request to any other name than those of this machine for itself: see `namesLoopback`. */
export function requireLocalHost(): Middleware {
  return function requireLocalHost(ctx, next) {
    if (!namesLoopback(ctx.get('Host'))) {
      throw new RepricerError(
        'MISDIRECTED',
        'Without tokens this is served as localhost, 127.0.0.1 or [::1] only; an operator lets in ' +
          'other names with --tokens-file or --allow-anonymous.',
      );
    }
    return next();
  };
}
