import http from 'node:http';
import type { Duplex } from 'node:stream';
import type Koa from 'koa';
import { answerClientError } from './client-error.ts';

/** A header section takes milliseconds; one that trickles in holds a connection for no good (slowloris). */
const headersTimeoutMsMax = 10_000;

/** Above the 60 s of usual ingresses, so that it is the ingress that ends an idle connection, never a race. */
const keepAliveTimeoutMs = 65_000;

/** How late a timeout may be noticed; Node's own 30 s would triple ours. */
const connectionsCheckMsMax = 2_000;

/** URL, cookies and tracing headers together stay far below this. */
const headerBytesMax = 8 * 1024;

/** Each connection holds memory and a file descriptor; past this Node closes new ones at once. */
const connectionsMax = 2_000;

export interface HttpServerOptions {
  /** A whole request, its body included, must arrive in this time. */
  readonly requestTimeoutMs: number;
}

/** An HTTP server for the app, with every limit explicit, that answers also what never becomes a request. */
export function createHttpServer(app: Koa, { requestTimeoutMs }: HttpServerOptions): http.Server {
  const server = http.createServer({
    headersTimeout: Math.min(headersTimeoutMsMax, requestTimeoutMs),
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(connectionsCheckMsMax, requestTimeoutMs),
    maxHeaderSize: headerBytesMax,
    // The app refuses it with a problem, where Node would send an empty answer.
    requireHostHeader: false,
  });
  server.maxConnections = connectionsMax;

  const owed = new OwedAnswers();
  const serve = app.callback();
  const answer = (request: http.IncomingMessage, response: http.ServerResponse) => {
    owed.add(request, response);
    void serve(request, response);
  };
  server.on('request', answer);
  // `100 Continue` is left to whoever wants the body, so a refusal comes without it.
  server.on('checkContinue', answer);
  server.on('clientError', (error, socket) => {
    if (owed.mayAnswerNow(socket)) answerClientError(error, socket);
    else socket.destroy(error);
  });
  return server;
}

/**
 * Which answers each connection still waits for.
 *
 * A client takes the first answer for that to its first request, so the refusal of a broken pipelined
 * one, sent while a good write before it is being served, would tell of a failure that was none.
 */
class OwedAnswers {
  readonly #bySocket = new WeakMap<Duplex, Set<http.ServerResponse>>();

  add(request: http.IncomingMessage, response: http.ServerResponse): void {
    const { socket } = request;
    const owed = this.#bySocket.get(socket) ?? new Set();
    this.#bySocket.set(socket, owed.add(response));
    response.once('close', () => owed.delete(response));
  }

  /** True when nothing is owed, or one answer of which nothing was sent, to the very request that broke off. */
  mayAnswerNow(socket: Duplex): boolean {
    const [first, ...others] = this.#bySocket.get(socket) ?? [];
    if (first === undefined) return true;
    return others.length === 0 && !first.headersSent && !first.req.complete;
  }
}
