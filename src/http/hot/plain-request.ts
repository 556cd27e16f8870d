import type { IncomingMessage } from 'node:http';

/**
 * Header fields by which a request becomes one that the app has to look at: its framing, what it expects,
 * whose page sends it, how its body is packed.
 */
const unusualFields = [
  'transfer-encoding',
  'expect',
  'upgrade',
  'origin',
  'content-encoding',
] as const;

/**
 * Whether a request is of the kind that nearly all are: HTTP/1.1, no header field twice, none that asks
 * for more than an answer, and at most one token.
 */
export function isPlain(request: IncomingMessage): boolean {
  const { headers, rawHeaders, httpVersion } = request;
  if (httpVersion !== '1.1') return false;
  // Names and values take turns in the one, and a name stands once in the other.
  if (2 * Object.keys(headers).length !== rawHeaders.length) return false;
  if (headers.authorization !== undefined && headers['x-token'] !== undefined) return false;
  return unusualFields.every((name) => headers[name] === undefined);
}
