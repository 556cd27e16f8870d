import cors from '@koa/cors';
import type { Middleware } from 'koa';

/** What pages may send beside what every page may. */
const requestHeaders = [
  'Authorization',
  'X-Token',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'Last-Event-ID',
  'Prefer',
  'traceparent',
];

/** What they may read beside what every page may. */
const responseHeaders = [
  'Allow',
  'Content-Disposition',
  'ETag',
  'Idempotent-Replayed',
  'Link',
  'Location',
  'Preference-Applied',
  'RateLimit',
  'RateLimit-Policy',
  'Repricer-Seq',
  'Retry-After',
  'traceresponse',
  'WWW-Authenticate',
];

/** How long a browser need not ask again whether it may. */
const preflightSeconds = 600;

/**
 * Lets pages of these origins use the API in a browser, where `*` is all of them: answers what browsers
 * ask beforehand, and lets pages read the answers. Pages of others are told nothing, so that their
 * browsers refuse them. Cookies are never asked for.
 */
export function allowOrigins(origins: readonly string[]): Middleware {
  const isForAll = origins.includes('*');
  return cors({
    origin: (ctx) => {
      const origin = ctx.get('Origin');
      if (isForAll) return '*';
      return origins.includes(origin) ? origin : '';
    },
    allowMethods: ['GET', 'HEAD', 'POST'],
    allowHeaders: requestHeaders,
    exposeHeaders: responseHeaders,
    maxAge: preflightSeconds,
    // They stay on the answer without help: an error becomes one further in.
    keepHeadersOnError: false,
  });
}
