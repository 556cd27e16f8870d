import type { Middleware } from 'koa';
import { type Answer, answerWith } from './answer.ts';
import { presentProblem, problemMediaType, toProblem } from './problem.ts';

declare module 'koa' {
  interface DefaultState {
    /** What the request was refused with or failed with, for its line in the log. */
    failure?: unknown;
  }
}

/**
 * Turns whatever the inner middleware throws into a problem response. Headers that were set before the
 * throw (`Allow`, `Connection`) stay.
 */
export function answerErrors(): Middleware {
  return async function answerErrors(ctx, next) {
    try {
      await next();
    } catch (error) {
      ctx.state.failure = error;
      answerWith(ctx, problemAnswer(error));
    }
  };
}

/** The answer to a request that was refused with, or failed with, this error. */
export function problemAnswer(error: unknown): Answer {
  const problem = toProblem(error);
  const { status, retryAfterSeconds } = problem;
  return {
    status,
    headers: {
      ...(retryAfterSeconds !== undefined && { 'Retry-After': String(retryAfterSeconds) }),
      'Content-Type': problemMediaType,
    },
    body: presentProblem(problem),
  };
}
