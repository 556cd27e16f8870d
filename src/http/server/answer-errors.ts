import type { Middleware } from 'koa';
import { presentProblem, problemMediaType, toProblem } from './problem.ts';

declare module 'koa' {
  interface DefaultState {
    /** What the request was refused with or failed with, for its line in the log. */
    failure?: unknown;
  }
}

/**
 * Turns whatever the inner middleware throws into a problem response: the only place that does.
 * Headers that were set before the throw (`Allow`, `Connection`) stay.
 */
export function answerErrors(): Middleware {
  return async function answerErrors(ctx, next) {
    try {
      await next();
    } catch (error) {
      const problem = toProblem(error);
      ctx.state.failure = error;
      ctx.status = problem.status;
      if (problem.retryAfterSeconds !== undefined) {
        ctx.set('Retry-After', String(problem.retryAfterSeconds));
      }
      ctx.type = problemMediaType;
      ctx.body = presentProblem(problem);
    }
  };
}
