import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Client } from '../../access/client.ts';
import { formatTraceparent, type Trace } from '../../ops/trace.ts';
import type { Answer } from '../server/answer.ts';
import { headersOfAll } from '../server/default-headers.ts';

/** A request that is being served. */
export interface Served {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly client: Client;
  /** The pattern of its path. */
  readonly route: string;
  /** When it began, on the clock of `performance.now()`. */
  readonly startedMs: number;
  readonly trace: Trace;
  /** What its answer has beside the headers of every answer, whatever comes of it. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Statuses whose answers have no body, and say no length of it (RFC 9110, section 8.6). */
const bodiless: ReadonlySet<number> = new Set([204, 304]);

/** Sends an answer in one write; `isLast` ends the connection behind it. Does nothing for a client that hung up. */
export function sendAnswer({ response, trace, headers }: Served, answer: Answer, isLast: boolean) {
  if (response.destroyed) return;
  const { status, body = '' } = answer;
  // In the list for `writeHead` it would be hidden from `OwedAnswers`, which asks the response for it.
  if (isLast) response.setHeader('Connection', 'close');
  response.writeHead(status, {
    ...headersOfAll,
    traceresponse: formatTraceparent(trace),
    ...headers,
    ...answer.headers,
    ...(!bodiless.has(status) && { 'Content-Length': Buffer.byteLength(body) }),
  });
  response.end(body);
}
