import type { IncomingMessage } from 'node:http';

/** How often a header field was sent. Node joins some that were repeated and keeps the first of others. */
export function countFields(
  request: Pick<IncomingMessage, 'rawHeaders'>,
  lowerCaseName: string,
): number {
  // Names stand at the even places, values at the odd ones.
  return request.rawHeaders.filter(
    (text, index) => index % 2 === 0 && text.toLowerCase() === lowerCaseName,
  ).length;
}
