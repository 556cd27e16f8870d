import { problemOf } from './repricer-problem.ts';
import { RepricerUnreachable } from './repricer-unreachable.ts';
import { Retries, type RetryLimits } from './retries.ts';
import { SilenceWatch } from './silence-watch.ts';

/** Of lines of JSON. */
export const lineType = 'application/x-ndjson';

/** A whole answer. */
export interface Answer {
  readonly headers: Headers;
  readonly text: string;
}

/** The beginning of a good answer, or of one with results; throws a `RepricerProblem` for any other. */
export type Send = (url: URL, init: RequestInit) => Promise<Response>;

/** How a client sends its requests. */
export interface Sending {
  readonly send: Send;
  readonly limits: RetryLimits;
}

export interface ExchangeOptions extends Sending {
  readonly signal: AbortSignal | undefined;
}

/**
 * What `read` makes of the whole answer to a request, which is sent again while that may help. It must
 * be one that may be sent twice: a read, or a write with an idempotency key. Throws a
 * `RepricerProblem`, a `RepricerUnreachable`, an `UnreadableAnswer`, or the signal's reason.
 */
export async function exchange<Result>(
  url: URL,
  init: RequestInit,
  { send, limits, signal }: ExchangeOptions,
  read: (answer: Answer) => Result,
): Promise<Result> {
  const retries = new Retries(limits);
  for (;;) {
    try {
      return read(await exchangeOnce(send, url, init, retries.attemptMs, signal));
    } catch (error) {
      await retries.waitAfter(error, signal);
    }
  }
}

async function exchangeOnce(
  send: Send,
  url: URL,
  init: RequestInit,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const watch = new SilenceWatch(timeoutMs, signal);
  try {
    const response = await send(url, { ...init, signal: watch.signal });
    return { headers: response.headers, text: await connected(response.text()) };
  } catch (error) {
    throw watch.reasonFor(error);
  } finally {
    watch.close();
  }
}

/** Sends requests with this token. A TypeError, which does not repeat it, when no header can have it. */
export function createSend(token: string | undefined): Send {
  if (token === undefined) return send;
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new TypeError('a token has visible ASCII characters only');
  return (url, init) => {
    const headers = new Headers(init.headers);
    headers.set('Authorization', `Bearer ${token}`);
    return send(url, { ...init, headers });
  };
}

async function send(url: URL, init: RequestInit): Promise<Response> {
  // Not of a `Request`: Node forgets the signal of one that is collected while its answer is awaited.
  const response = await connected(fetch(url, init));
  const hasResults = response.headers.get('content-type')?.startsWith(lineType) === true;
  if (response.ok || hasResults) return response;
  throw problemOf(response, await connected(response.text()));
}

/** Lets a failure of the connection be known as one. */
export async function connected<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (cause) {
    throw new RepricerUnreachable('the connection to the service failed', { cause });
  }
}
