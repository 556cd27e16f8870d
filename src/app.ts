import type { RequestListener } from 'node:http';
import Router, { type RouterMiddleware } from '@koa/router';
import Koa, { type Context } from 'koa';
import type { Clients } from './access/client.ts';
import type { ClientStatistics } from './access/client-statistics.ts';
import type { RateLimits } from './access/rate-bucket.ts';
import { authenticate } from './http/access/authenticate.ts';
import { limitRate } from './http/access/limit-rate.ts';
import { listClientsHandler } from './http/access/list-clients.ts';
import { RateLimiter } from './http/access/rate-limiter.ts';
import { type Access, requireAccess } from './http/access/require-access.ts';
import { docsFileHandler } from './http/docs/docs-file.ts';
import type { ReadFile } from './http/docs/docs-files.ts';
import { docsPageHandler } from './http/docs/docs-page.ts';
import type { PriceFeed } from './http/feed/price-feed.ts';
import { streamPricesHandler } from './http/feed/stream-prices.ts';
import { HotRoutes } from './http/hot/hot-routes.ts';
import { readBody } from './http/input/read-body.ts';
import { refuseParameters } from './http/input/refuse-parameters.ts';
import { openApiDocumentHandler } from './http/openapi/openapi-document.ts';
import { currentPriceHandler } from './http/read/current-price.ts';
import { currentPricesHandler } from './http/read/current-prices.ts';
import { listProductsHandler } from './http/read/list-products.ts';
import { priceAtHandler } from './http/read/price-at.ts';
import { priceHistoryHandler } from './http/read/price-history.ts';
import { priceListBodyBytesMax } from './http/read/price-list-body.ts';
import { queryPricesHandler } from './http/read/query-prices.ts';
import { recordHandler } from './http/read/record.ts';
import { allowOrigins } from './http/server/allow-origins.ts';
import { answerErrors } from './http/server/answer-errors.ts';
import { closeWhenDraining } from './http/server/close-when-draining.ts';
import { compressAnswers } from './http/server/compress-answers.ts';
import { countClients } from './http/server/count-clients.ts';
import { defaultHeaders } from './http/server/default-headers.ts';
import { discardRest } from './http/server/discard-rest.ts';
import { limitConcurrency } from './http/server/limit-concurrency.ts';
import { observeRequests } from './http/server/observe-requests.ts';
import { refuseUnrouted } from './http/server/refuse-unrouted.ts';
import { RequestObserver } from './http/server/request-observer.ts';
import { requireExpectation } from './http/server/require-expectation.ts';
import { requireFraming } from './http/server/require-framing.ts';
import { requireHost } from './http/server/require-host.ts';
import { requireJsonAccepted } from './http/server/require-json-accepted.ts';
import { requireLocalHost } from './http/server/require-local-host.ts';
import { requireTarget } from './http/server/require-target.ts';
import { repriceHandler } from './http/write/reprice.ts';
import { type BatchLimits, repriceBatchHandler } from './http/write/reprice-batch.ts';
import type { PriceLedger } from './ledger/price-ledger.ts';
import type { Log } from './ops/log.ts';
import type { Metrics } from './ops/metrics.ts';
import { Traces } from './ops/trace.ts';

export interface AppDependencies {
  readonly ledger: Pick<
    PriceLedger,
    | 'reprice'
    | 'repriceAll'
    | 'currentPrice'
    | 'currentPriceInMemory'
    | 'currentPrices'
    | 'priceAt'
    | 'history'
    | 'record'
    | 'query'
    | 'scan'
    | 'listProducts'
  >;
  readonly feed: Pick<PriceFeed, 'lastSeq' | 'subscribe'>;
  readonly clients: Clients;
  readonly statistics: Pick<ClientStatistics, 'countRequest' | 'counted'>;
  /** Whose pages may use the API in a browser. */
  readonly origins?: readonly string[];
  /** Whether large answers are compressed for those who take that. */
  readonly isCompressing?: boolean;
  /** Whether requests to other names than those of this machine for itself are refused. */
  readonly isLocalOnly?: boolean;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'observeRequest'>;
  readonly limits: HttpLimits;
  /** Aborted when the service begins to stop: batches are read no further. */
  readonly stopping?: AbortSignal;
  /** Ends the streams that are still being read when a stop cannot wait for them any longer. */
  readonly streamsEnd?: AbortSignal;
  /** Whether the service is stopping, so that no connection should live on. */
  readonly isDraining: () => boolean;
  /** Reads a file of the installation, for the documentation page. */
  readonly readFile: ReadFile;
}

export interface HttpLimits extends BatchLimits, RateLimits {
  /** How many batch requests are served at a time; the next is refused with `TOO_MANY_BATCHES`. */
  readonly batchesMax: number;
  /** The longest request body, in bytes; a longer one is refused with `BODY_TOO_LARGE`. */
  readonly bodyBytesMax: number;
  /** The most that a page of records or products may have. */
  readonly pageSizeMax: number;
  /** How many requests each endpoint that reads serves in parallel; the next is refused with `TOO_MANY_READS`. */
  readonly readsMax: number;
}

/** The HTTP interface of the ledger: the hot routes, and behind them the app. */
export function createRequestListener(dependencies: AppDependencies): RequestListener {
  const { ledger, clients, statistics, isDraining, isLocalOnly = false } = dependencies;
  const { origins = [], limits } = dependencies;
  const shared = createSharedParts(dependencies);
  const hot = new HotRoutes({
    ...{ ledger, clients, statistics, isDraining, isLocalOnly, ...shared },
    headers: origins.length > 0 ? { Vary: 'Origin' } : {},
    bodyBytesMax: limits.bodyBytesMax,
  });
  const serve = createApp(dependencies, shared).callback();
  return (request, response) => {
    if (hot.take(request, response)) return;
    discardRest(request, response);
    void serve(request, response);
  };
}

/** What the hot routes and the app have in common. */
interface SharedParts {
  readonly observer: RequestObserver;
  readonly traces: Traces;
  /** Undefined where nobody is limited. */
  readonly rates: RateLimiter | undefined;
}

function createSharedParts({ log, metrics, limits }: AppDependencies): SharedParts {
  return {
    observer: new RequestObserver(log, metrics),
    traces: new Traces(),
    rates: limits.clientRate > 0 ? new RateLimiter(limits) : undefined,
  };
}

/** Everything that is served, as a Koa app. */
export function createApp(
  dependencies: AppDependencies,
  { observer, traces, rates }: SharedParts = createSharedParts(dependencies),
): Koa {
  const { clients, origins = [], isLocalOnly = false, isDraining } = dependencies;
  const app = new Koa();
  app.on('error', logKoaError(dependencies.log));
  app.use(observeRequests(observer, traces));
  app.use(countClients(dependencies.statistics));
  app.use(closeWhenDraining(isDraining));
  app.use(defaultHeaders());
  app.use(answerErrors());
  app.use(requireHost());
  if (isLocalOnly) app.use(requireLocalHost());
  app.use(requireFraming());
  app.use(requireExpectation());
  app.use(requireTarget());
  if (origins.length > 0) app.use(allowOrigins(origins));
  const compressed = dependencies.isCompressing === true ? [compressAnswers()] : [];
  app.use(openRoutes(dependencies, compressed).routes());
  app.use(authenticate(clients));
  if (rates !== undefined) app.use(limitRate(rates));
  app.use(routes(dependencies, compressed).routes());
  app.use(refuseUnrouted());
  return app;
}

/** Two spellings of one path would be two entries in every cache on the way. */
const spelling = { strict: true, sensitive: true };

/** The table of what is open to everyone, with or without a token: it tells of the API, and nothing of prices. */
function openRoutes(
  { limits, readFile }: AppDependencies,
  compressed: readonly RouterMiddleware[],
): Router {
  const router = new Router(spelling);
  const page = (path: string, ...handlers: RouterMiddleware[]) =>
    router.get(
      path,
      path,
      limitConcurrency(limits.readsMax),
      ...compressed,
      refuseParameters(),
      ...handlers,
    );

  page('/openapi.json', requireJsonAccepted(), openApiDocumentHandler(limits.pageSizeMax));
  page('/docs', docsPageHandler());
  page('/docs/:file', docsFileHandler(readFile));
  return router;
}

/** The route table. Both versions of a route share its limit, and its name in logs and metrics. */
function routes(
  { ledger, feed, statistics, limits, stopping, streamsEnd }: AppDependencies,
  compressed: readonly RouterMiddleware[],
): Router {
  const router = new Router(spelling);
  const route = (
    method: 'get' | 'post',
    path: string,
    access: Access,
    ...handlers: RouterMiddleware[]
  ) => {
    for (const prefix of ['/api', '/api/v1']) {
      router[method](`/api${path}`, `${prefix}${path}`, requireAccess(access), ...handlers);
    }
  };
  const limited = () => limitConcurrency(limits.readsMax);
  const read = () => [limited(), requireJsonAccepted()];
  // A price and a receipt are small, and what is answered line by line must not wait.
  const readMuch = () => [limited(), ...compressed, requireJsonAccepted()];
  const writes: Access = { scope: 'reprice', products: 'handler' };
  const reads: Access = { scope: 'read', products: 'handler' };
  const readsOne: Access = { scope: 'read', products: 'path' };
  const operates: Access = { scope: 'admin', products: 'all' };

  route('post', '/reprice', writes, readBody(limits.bodyBytesMax), repriceHandler(ledger));
  route(
    'post',
    '/reprice/batch',
    writes,
    limitConcurrency(limits.batchesMax, 'TOO_MANY_BATCHES'),
    repriceBatchHandler(ledger, limits, stopping),
  );
  route(
    'get',
    '/product/:productId/price',
    readsOne,
    ...read(),
    priceAtHandler(ledger),
    currentPriceHandler(ledger),
  );
  route('get', '/product/:productId/history', readsOne, ...readMuch(), priceHistoryHandler(ledger));
  route('get', '/record/:seq', reads, ...read(), refuseParameters(), recordHandler(ledger));
  route(
    'get',
    '/query',
    reads,
    limited(),
    ...compressed,
    queryPricesHandler(ledger, limits.pageSizeMax, streamsEnd),
  );
  route('get', '/products', reads, ...readMuch(), listProductsHandler(ledger, limits.pageSizeMax));
  route(
    'post',
    '/products/prices',
    reads,
    ...readMuch(),
    refuseParameters(),
    readBody(priceListBodyBytesMax),
    currentPricesHandler(ledger),
  );
  route(
    'get',
    '/clients',
    operates,
    ...readMuch(),
    refuseParameters(),
    listClientsHandler(statistics),
  );
  // The feed counts its own, as a stream is open long after its handler has ended.
  route('get', '/stream', reads, streamPricesHandler(feed));
  return router;
}

/**
 * Koa tells of connections that broke while they were being answered, which is the client's affair,
 * and of errors outside `answerErrors`, which is ours.
 */
function logKoaError(log: Log): (error: Error, ctx: Context) => void {
  return (error, ctx) => {
    const isBroken = ctx.headerSent || !ctx.writable;
    if (isBroken) log.debug('a connection broke before its answer was sent', { error });
    else log.error('a request could not be answered', { error });
  };
}
