import type { Middleware } from 'koa';
import { presentProblem } from './present-problem.ts';

/** What browsers say of requests that no page of another origin had them send. */
const ownSites: ReadonlySet<string> = new Set(['', 'none', 'same-origin']);

/**
 * Refuses what pages in browsers ask for, except whether the service is alive and ready: the browser of
 * somebody who can reach the port would otherwise do for any page what that one may do.
 */
export function refusePages(): Middleware {
  return async function refusePages(ctx, next) {
    const isOfPage = ctx.get('Origin') !== '' || !ownSites.has(ctx.get('Sec-Fetch-Site'));
    if (!isOfPage || isProbe(ctx.method, ctx.path)) await next();
    else {
      ctx.set('Cache-Control', 'no-store');
      presentProblem(ctx, 403, 'Pages in browsers may not do this.');
    }
  };
}

function isProbe(method: string, path: string): boolean {
  return (method === 'GET' || method === 'HEAD') && /^\/healthz(?:\/|$)/.test(path);
}
