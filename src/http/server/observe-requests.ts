import type { RouterContext, RouterMiddleware } from '@koa/router';
import type { Client } from '../../access/client.ts';
import { codeOf } from '../../errors.ts';
import type { Log } from '../../ops/log.ts';
import type { Metrics } from '../../ops/metrics.ts';
import { formatTraceparent, startTrace, type Trace } from '../../ops/trace.ts';
import { toProblem } from './problem.ts';
import { whenAnswered } from './when-answered.ts';

/** The longest path that is logged, in characters. */
const loggedPathCharactersMax = 256;

/**
 * Counts and logs every request once it is answered, in one line each, under the trace that the client
 * began or a new one. A stream is answered when it has closed, which may be long after its first byte.
 */
export function observeRequests(
  log: Log,
  metrics: Pick<Metrics, 'observeRequest'>,
): RouterMiddleware {
  return async function observeRequests(ctx, next) {
    const startedMs = performance.now();
    const trace = startTrace(ctx.get('traceparent'));
    ctx.set('traceresponse', formatTraceparent(trace));

    await next();

    whenAnswered(ctx, () => observe(ctx, startedMs, trace));
  };

  function observe(ctx: RouterContext, startedMs: number, trace: Trace): void {
    const durationMs = performance.now() - startedMs;
    const { method, status } = ctx;
    const { failure } = ctx.state;
    const route = routeOf(ctx);
    const refusal = failure === undefined ? {} : { refusal: codeOf(failure) };
    metrics.observeRequest({ route, method, status, seconds: durationMs / 1000, ...refusal });
    const level = levelFor(status, failure);
    if (!log.isEnabled(level)) return;
    log[level]('request', {
      method,
      route,
      path: loggedPath(ctx.originalUrl),
      status,
      durationMs: Math.round(durationMs * 1000) / 1000,
      traceId: trace.traceId,
      spanId: trace.spanId,
      ...actorField(ctx.state.client),
      ...failureFields(failure, status),
    });
  }
}

/** The pattern that the path matched, the same for every version of the API: labels must be few. */
function routeOf(ctx: RouterContext): string {
  return ctx.matched?.[0]?.name ?? 'unmatched';
}

function levelFor(status: number, failure: unknown): 'info' | 'warn' | 'error' {
  const worst = worstStatus(status, failure);
  if (worst < 500) return 'info';
  // A full queue, a full disk or a stop is told by the answer and is no mistake of ours.
  return worst === 503 || worst === 507 ? 'warn' : 'error';
}

/** The path without its query. The parser lets only printable ASCII into a target. */
function loggedPath(url: string): string {
  const [path = ''] = url.slice(0, loggedPathCharactersMax).split('?');
  return path;
}

/** Who asked: the name of the token, never the token. */
function actorField(client: Client | undefined): { readonly actor?: string } {
  return client?.name === undefined ? {} : { actor: client.name };
}

function failureFields(failure: unknown, status: number): Record<string, unknown> {
  if (failure === undefined) return {};
  const code = codeOf(failure);
  return worstStatus(status, failure) >= 500 ? { code, error: failure } : { code };
}

/** The failure's own, where an answer met it after its status: in a line of a batch, or where it was cut. */
function worstStatus(status: number, failure: unknown): number {
  return failure === undefined ? status : Math.max(status, toProblem(failure).status);
}
