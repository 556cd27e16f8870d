import type { Middleware } from 'koa';
import { errnoOf, RepricerError } from '../../errors.ts';

/** Refuses a request whose target is a URL that cannot be read, before anything asks for its path. */
export function requireTarget(): Middleware {
  return function requireTarget(ctx, next) {
    if (!hasPath(ctx)) throw new RepricerError('BAD_REQUEST', 'The request target is not a URL.');
    return next();
  };
}

function hasPath(ctx: { readonly path: string }): boolean {
  try {
    return ctx.path !== '';
  } catch (error) {
    if (errnoOf(error) === 'ERR_INVALID_URL') return false;
    throw error;
  }
}
