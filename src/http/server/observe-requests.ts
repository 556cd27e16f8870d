import type { RouterContext, RouterMiddleware } from '@koa/router';
import { formatTraceparent, type Traces } from '../../ops/trace.ts';
import type { RequestObserver } from './request-observer.ts';
import { whenAnswered } from './when-answered.ts';

/**
 * Has every request observed once it is answered, under the trace that the client began or a new one. A
 * stream is answered when it has closed, which may be long after its first byte.
 */
export function observeRequests(observer: RequestObserver, traces: Traces): RouterMiddleware {
  return async function observeRequests(ctx, next) {
    const startedMs = performance.now();
    const trace = traces.start(ctx.get('traceparent'));
    ctx.set('traceresponse', formatTraceparent(trace));

    await next();

    whenAnswered(ctx, () => {
      const { method, originalUrl: target, status, state } = ctx;
      const { client, failure } = state;
      const route = routeOf(ctx);
      observer.answered({ method, route, target, status, startedMs, trace, client, failure });
    });
  };
}

function routeOf(ctx: RouterContext): string {
  return ctx.matched?.[0]?.name ?? 'unmatched';
}
