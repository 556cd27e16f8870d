import type { Middleware } from 'koa';
import { namesLoopback } from '../../access/loopback.ts';
import { RepricerError } from '../../errors.ts';

/** Clients of a machine use few names and ports for it; to look at one costs as much as a middleware. */
const rememberedMax = 100;

/** Refuses a request to any other name than those of this machine for itself: see `namesLoopback`. */
export function requireLocalHost(): Middleware {
  const remembered = new Set<string>();
  return function requireLocalHost(ctx, next) {
    const host = ctx.get('Host');
    if (remembered.has(host)) return next();
    if (!namesLoopback(host)) {
      throw new RepricerError(
        'MISDIRECTED',
        'Without tokens this is served as localhost, 127.0.0.1 or [::1] only; an operator lets in ' +
          'other names with --tokens-file or --allow-anonymous.',
      );
    }
    if (remembered.size < rememberedMax) remembered.add(host);
    return next();
  };
}
