/**
 * The wait in ms that a `Retry-After` header asks for, as seconds or as a date (RFC 9110, section
 * 10.2.3); undefined without one that can be read. A date is compared with the answer's own `Date`,
 * so that a wrong clock on this side does not matter.
 */
export function readRetryAfter(headers: Headers): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const until = Date.parse(text);
  const sent = Date.parse(headers.get('date') ?? '');
  const waitMs = until - (Number.isNaN(sent) ? Date.now() : sent);
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}
