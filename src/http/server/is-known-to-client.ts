import type { Context } from 'koa';

/**
 * Whether the client has what this entity tag stands for (`If-None-Match`; RFC 9110, section 13.1.2).
 * Koa's `ctx.fresh` never says so to `fetch()`, which adds `Cache-Control: no-cache` to such a request:
 * that asks caches on the way to come here, and is no reason to send again what has not changed.
 */
export function isKnownToClient(ctx: Context, etag: string): boolean {
  const tags = ctx.get('If-None-Match').split(',');
  return tags.some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}
