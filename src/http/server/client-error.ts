import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ErrorCode, errnoOf, RepricerError } from '../../errors.ts';
import { endLingering } from './linger.ts';
import { presentProblem, problemMediaType, toProblem } from './problem.ts';

/**
 * Answers what Node's HTTP parser or its timeouts refused before there was a request that the app
 * could answer, and ends the connection. For node:http's `clientError`; the caller sees to it that
 * no other answer is owed or half sent. Gives the code of the refusal that was sent, if any was.
 */
export function answerClientError(error: Error, socket: Duplex): ErrorCode | undefined {
  const refusal = refusals.get(errnoOf(error) ?? '') ?? malformed;
  if (errnoOf(error) === 'ECONNRESET' || !socket.writable) {
    socket.destroy(error);
    return undefined;
  }
  endLingering(socket, answerTo(error, refusal), error);
  return refusal[0];
}

function answerTo(error: Error, [code, detail]: Refusal): string {
  const problem = toProblem(new RepricerError(code, detail, { cause: error }));
  const body = presentProblem(problem);
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `Date: ${new Date().toUTCString()}`,
    `Content-Type: ${problemMediaType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'X-Content-Type-Options: nosniff',
    'Cache-Control: no-store',
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

type Refusal = readonly [code: ErrorCode, detail: string];

const malformed: Refusal = ['BAD_REQUEST', 'This is not a well-formed HTTP/1.1 request.'];

const refusals: ReadonlyMap<string, Refusal> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', ['REQUEST_TIMEOUT', 'The request did not arrive in time.']],
  ['HPE_HEADER_OVERFLOW', ['HEADERS_TOO_LARGE', 'The header fields are too long.']],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', ['BODY_TOO_LARGE', 'The chunk extensions are too long.']],
]);
