import type { IncomingMessage } from 'node:http';

/**
 * Whether the client has what this entity tag stands for (`If-None-Match`; RFC 9110, section 13.1.2).
 * Koa's `ctx.fresh` never says so to `fetch()`, which adds `Cache-Control: no-cache` to such a request:
 * that asks caches on the way to come here, and is no reason to send again what has not changed.
 */
export function isKnownToClient(
  { headers }: Pick<IncomingMessage, 'headers'>,
  etag: string,
): boolean {
  const tags = (headers['if-none-match'] ?? '').split(',');
  return tags.some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}
