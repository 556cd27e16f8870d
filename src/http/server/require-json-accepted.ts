import type { Middleware } from 'koa';
import { RepricerError } from '../../errors.ts';
import { acceptedType } from '../input/accepted-type.ts';

/** Refuses a read whose client cannot take JSON, before the read costs anything. */
export function requireJsonAccepted(): Middleware {
  return function requireJsonAccepted(ctx, next) {
    if (acceptedType(ctx, 'application/json') === undefined) {
      throw new RepricerError('NOT_ACCEPTABLE', 'This answers in application/json only.');
    }
    return next();
  };
}
