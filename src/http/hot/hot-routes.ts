import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Client, Clients, Scope } from '../../access/client.ts';
import type { ClientStatistics } from '../../access/client-statistics.ts';
import type { PriceLedger } from '../../ledger/price-ledger.ts';
import { isProductId, type ProductId } from '../../model/product-id.ts';
import type { Traces } from '../../ops/trace.ts';
import { parseCredential } from '../access/credential.ts';
import type { RateLimiter } from '../access/rate-limiter.ts';
import { isJson } from '../input/read-body.ts';
import { priceAnswer } from '../read/current-price.ts';
import type { Answer } from '../server/answer.ts';
import { problemAnswer } from '../server/answer-errors.ts';
import type { RequestObserver } from '../server/request-observer.ts';
import { type RequestReprices, tallyOf } from '../server/request-tally.ts';
import { answerReprice } from '../write/answer-reprice.ts';
import { KnownHosts } from './known-hosts.ts';
import { isPlain } from './plain-request.ts';
import { readWhole } from './read-whole.ts';
import { type Served, sendAnswer } from './send-answer.ts';

export interface HotRoutesParts {
  readonly ledger: Pick<PriceLedger, 'reprice' | 'currentPriceInMemory'>;
  readonly clients: Clients;
  readonly statistics: Pick<ClientStatistics, 'countRequest'>;
  readonly observer: RequestObserver;
  readonly traces: Traces;
  /** Undefined where nobody is limited. */
  readonly rates: RateLimiter | undefined;
  readonly isLocalOnly: boolean;
  /** Beside those that every answer has. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyBytesMax: number;
  readonly isDraining: () => boolean;
}

/** `GET /api/product/{productId}/price` with an id that needs no decoding, and without a query. */
const pricePath = /^\/api\/(?:v1\/)?product\/([\w.~!$&'()*+,;=:@-]+)\/price$/;
const priceRoute = '/api/product/:productId/price';

const repricePaths: ReadonlySet<string | undefined> = new Set(['/api/reprice', '/api/v1/reprice']);
const repriceRoute = '/api/reprice';

/** What axios, curl, fetch, Go, Java and Python send unless they are told otherwise. */
const jsonAccepting: ReadonlySet<string | undefined> = new Set([
  undefined,
  '*/*',
  'application/json',
  'application/json, */*',
  'application/json, text/plain, */*',
]);

/**
 * Answers nearly all of what a service is asked, the price of a product and a reprice, without Koa, whose
 * middleware and router take longer than all the rest together.
 *
 * Invariant: what is answered here has the answer that the app would give.
 *
 * It is asked first, and leaves to the app, as it came, every request that is unusual in any way: that is
 * not plain, that would be refused before its handler, whose price is not in memory. What is served here
 * is made by the same functions, and no answer is the business of this alone. A price in memory waits for
 * nothing, so it counts for none of the reads that are served in parallel.
 */
export class HotRoutes {
  readonly #parts: HotRoutesParts;
  readonly #hosts: KnownHosts;

  constructor(parts: HotRoutesParts) {
    this.#parts = parts;
    this.#hosts = new KnownHosts(parts.isLocalOnly);
  }

  /** Whether it is served here; otherwise nothing was done with it. */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    const { method, url = '' } = request;
    if (method === 'GET') return this.#takePrice(request, response, pricePath.exec(url)?.[1]);
    return method === 'POST' && repricePaths.has(url) && this.#takeReprice(request, response);
  }

  #takePrice(request: IncomingMessage, response: ServerResponse, productId: unknown): boolean {
    if (!isProductId(productId) || request.headers['content-length'] !== undefined) return false;
    if (!jsonAccepting.has(request.headers.accept)) return false;
    const client = this.#clientOf(request, 'read');
    if (client === undefined || !isOneOf(client, productId)) return false;
    const record = this.#parts.ledger.currentPriceInMemory(productId);
    if (record === undefined) return false;
    const served = this.#begin(request, response, client, priceRoute);
    if (served === undefined) return false;
    this.#finish(served, { answer: priceAnswer(record, request) });
    return true;
  }

  #takeReprice(request: IncomingMessage, response: ServerResponse): boolean {
    const length = Number(request.headers['content-length']);
    if (!(length <= this.#parts.bodyBytesMax) || !isJson(request)) return false;
    const client = this.#clientOf(request, 'reprice');
    if (client === undefined) return false;
    const served = this.#begin(request, response, client, repriceRoute);
    if (served === undefined) return false;
    void this.#reprice(served);
    return true;
  }

  async #reprice(served: Served): Promise<void> {
    this.#finish(served, await this.#repriced(served));
  }

  async #repriced({ request, client }: Served): Promise<Outcome> {
    try {
      const asked = { request, path: request.url ?? '', queryString: '', client };
      const answer = await answerReprice(
        { ...asked, body: await readWhole(request) },
        this.#parts.ledger,
      );
      return { answer, reprices: answer.reprices };
    } catch (failure) {
      return { answer: problemAnswer(failure), failure };
    }
  }

  /** Whose request it is; undefined when it is not plain, or they may not ask for this. */
  #clientOf(request: IncomingMessage, scope: Scope): Client | undefined {
    if (this.#parts.isDraining() || !isPlain(request)) return undefined;
    if (!this.#hosts.has(request.headers.host)) return undefined;
    const client = this.#parts.clients.identify(parseCredential(request));
    return client?.scopes.includes(scope) === true ? client : undefined;
  }

  /** Undefined when the client has used up its rate. */
  #begin(
    request: IncomingMessage,
    response: ServerResponse,
    client: Client,
    route: string,
  ): Served | undefined {
    const startedMs = performance.now();
    const { rates, traces } = this.#parts;
    const decision = rates?.take(client, request);
    if (decision?.isTaken === false) return undefined;
    const { traceparent } = request.headers;
    const trace = traces.start(traceparent === undefined ? undefined : String(traceparent));
    const headers = { ...this.#parts.headers, ...decision?.headers };
    return { request, response, client, route, startedMs, trace, headers };
  }

  #finish(served: Served, { answer, reprices, failure }: Outcome): void {
    const { request, client, route, startedMs, trace } = served;
    const { method = '', url: target = '', socket } = request;
    const { observer, statistics, isDraining } = this.#parts;
    sendAnswer(served, answer, isDraining());
    const { status } = answer;
    observer.answered({ method, route, target, status, startedMs, trace, client, failure });
    statistics.countRequest(client.name, socket).addTally(tallyOf(reprices, failure));
  }
}

/** What became of a request. */
interface Outcome {
  readonly answer: Answer;
  readonly reprices?: RequestReprices;
  /** What it was refused with or failed with. */
  readonly failure?: unknown;
}

function isOneOf({ productPrefix }: Client, productId: ProductId): boolean {
  return productPrefix === undefined || productId.startsWith(productPrefix);
}
