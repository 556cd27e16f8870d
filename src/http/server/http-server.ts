import http from 'node:http';
import { type ErrorCode, errnoOf } from '../../errors.ts';
import { answerClientError } from './client-error.ts';
import { OwedAnswers } from './owed-answers.ts';
import { isStreamed } from './streamed-request.ts';

/** A header section takes milliseconds; one that trickles in holds a connection for no good (slowloris). */
const headersTimeoutMsMax = 10_000;

/** Above the 60 s of usual ingresses, so that it is the ingress that ends an idle connection, never a race. */
const keepAliveTimeoutMs = 65_000;

/** How late a timeout may be noticed; Node's own 30 s would triple ours. */
const connectionsCheckMsMax = 1_000;

/** URL, cookies and tracing headers together stay far below this. */
const headerBytesMax = 8 * 1024;

/** A client that neither sends nor takes anything for this long holds its connection for no good. */
const idleTimeoutMs = keepAliveTimeoutMs;

/** More than any honest client pipelines; each answer that is owed holds memory. */
const pipelinedMax = 100;

/** After so many requests a client connects anew, so that connections spread again over what stands before us. */
const requestsPerConnectionMax = 10_000;

export interface HttpServerOptions {
  /** A whole request, its body included, must arrive in this time. */
  readonly requestTimeoutMs: number;
  /** Each connection holds memory and a file descriptor; past this Node closes new ones and emits `drop`. */
  readonly connectionsMax: number;
}

/**
 * An HTTP server for `serve`, with every limit explicit, that answers also what never becomes a request,
 * and tells `onRefused` of it.
 */
export function createHttpServer(
  serve: http.RequestListener,
  options: HttpServerOptions,
  onRefused: (code: ErrorCode) => void = () => {},
): http.Server {
  const { requestTimeoutMs, connectionsMax } = options;
  const server = http.createServer({
    headersTimeout: Math.min(headersTimeoutMsMax, requestTimeoutMs),
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(connectionsCheckMsMax, requestTimeoutMs),
    maxHeaderSize: headerBytesMax,
    // The app refuses it with a problem, where Node would send an empty answer.
    requireHostHeader: false,
  });
  server.timeout = idleTimeoutMs;
  server.maxConnections = connectionsMax;
  // Their size bounds their number; past a number Node drops them silently, a second Host among them.
  server.maxHeadersCount = 0;
  // `OwedAnswers` bounds them: Node would go on and answer each further one with an empty 503.
  server.maxRequestsPerSocket = 0;

  const owed = new OwedAnswers({ pipelinedMax, requestsMax: requestsPerConnectionMax });
  const answer = (request: http.IncomingMessage, response: http.ServerResponse) => {
    // Nobody here upgrades, and Node forgets what came behind a request that asks for it.
    if (request.headers.upgrade !== undefined) response.setHeader('Connection', 'close');
    if (owed.add(request, response)) serve(request, response);
  };
  server.on('request', answer);
  // `100 Continue` is left to whoever wants the body, so a refusal comes without it; other
  // expectations to the app, which refuses them with a problem.
  server.on('checkContinue', answer);
  server.on('checkExpectation', answer);
  server.on('clientError', (error, socket) => {
    if (errnoOf(error) === 'ERR_HTTP_REQUEST_TIMEOUT' && isStreamed(socket)) return;
    owed.end(socket, (mayAnswer) => {
      // Of a batch that breaks, lines may be recorded by now: no answer is truer than that it was refused.
      if (!mayAnswer || isStreamed(socket)) return void socket.destroy(error);
      const code = answerClientError(error, socket);
      if (code !== undefined) onRefused(code);
    });
  });
  return server;
}
