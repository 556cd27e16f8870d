import type { Middleware } from 'koa';
import { namesLoopback } from '../access/loopback.ts';
import { presentProblem } from './present-problem.ts';

/** Refuses a request to any other name than those of this machine for itself: see `namesLoopback`. */
export function requireLocalName(): Middleware {
  return async function requireLocalName(ctx, next) {
    if (namesLoopback(ctx.get('Host'))) await next();
    else {
      ctx.set('Cache-Control', 'no-store');
      presentProblem(ctx, 421, 'This is served as localhost, 127.0.0.1 or [::1] only.');
    }
  };
}
