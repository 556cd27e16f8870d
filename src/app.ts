import Router, { type RouterMiddleware } from '@koa/router';
import Koa, { type Context } from 'koa';
import type { Clients } from './access/client.ts';
import type { RateLimits } from './access/rate-bucket.ts';
import { answerErrors } from './http/answer-errors.ts';
import { authenticate } from './http/authenticate.ts';
import { closeWhenDraining } from './http/close-when-draining.ts';
import { currentPriceHandler } from './http/current-price.ts';
import { currentPricesHandler } from './http/current-prices.ts';
import { defaultHeaders } from './http/default-headers.ts';
import { docsFileHandler } from './http/docs/docs-file.ts';
import type { ReadFile } from './http/docs/docs-files.ts';
import { docsPageHandler } from './http/docs/docs-page.ts';
import type { PriceFeed } from './http/feed/price-feed.ts';
import { limitConcurrency } from './http/limit-concurrency.ts';
import { limitRate } from './http/limit-rate.ts';
import { listProductsHandler } from './http/list-products.ts';
import { observeRequests } from './http/observe-requests.ts';
import { openApiDocumentHandler } from './http/openapi/openapi-document.ts';
import { priceAtHandler } from './http/price-at.ts';
import { priceHistoryHandler } from './http/price-history.ts';
import { priceListBodyBytesMax } from './http/price-list-body.ts';
import { queryPricesHandler } from './http/query-prices.ts';
import { readBody } from './http/read-body.ts';
import { recordHandler } from './http/record.ts';
import { refuseParameters } from './http/refuse-parameters.ts';
import { refuseUnrouted } from './http/refuse-unrouted.ts';
import { repriceHandler } from './http/reprice.ts';
import { type BatchLimits, repriceBatchHandler } from './http/reprice-batch.ts';
import { type Access, requireAccess } from './http/require-access.ts';
import { requireExpectation } from './http/require-expectation.ts';
import { requireFraming } from './http/require-framing.ts';
import { requireHost } from './http/require-host.ts';
import { requireJsonAccepted } from './http/require-json-accepted.ts';
import { requireTarget } from './http/require-target.ts';
import { streamPricesHandler } from './http/stream-prices.ts';
import type { PriceLedger } from './ledger/price-ledger.ts';
import type { Log } from './ops/log.ts';
import type { Metrics } from './ops/metrics.ts';

export interface AppDependencies {
  readonly ledger: Pick<
    PriceLedger,
    | 'reprice'
    | 'repriceAll'
    | 'currentPrice'
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
  /** How many requests each endpoint that reads serves in parallel; the next is refused with `TOO_MANY_READS`. */
  readonly readsMax: number;
}

/** The HTTP interface of the ledger, as a Koa app that listens nowhere yet. */
export function createApp(dependencies: AppDependencies): Koa {
  const { clients, log, metrics, limits, isDraining } = dependencies;
  const app = new Koa();
  app.on('error', logKoaError(log));
  app.use(observeRequests(log, metrics));
  app.use(closeWhenDraining(isDraining));
  app.use(defaultHeaders());
  app.use(answerErrors());
  app.use(requireHost());
  app.use(requireFraming());
  app.use(requireExpectation());
  app.use(requireTarget());
  app.use(openRoutes(dependencies).routes());
  app.use(authenticate(clients));
  if (limits.clientRate > 0) app.use(limitRate(limits));
  app.use(routes(dependencies).routes());
  app.use(refuseUnrouted());
  return app;
}

/** Two spellings of one path would be two entries in every cache on the way. */
const spelling = { strict: true, sensitive: true };

/** The table of what is open to everyone, with or without a token: it tells of the API, and nothing of prices. */
function openRoutes({ limits, readFile }: AppDependencies): Router {
  const router = new Router(spelling);
  const page = (path: string, ...handlers: RouterMiddleware[]) =>
    router.get(path, path, limitConcurrency(limits.readsMax), refuseParameters(), ...handlers);

  page('/openapi.json', requireJsonAccepted(), openApiDocumentHandler());
  page('/docs', docsPageHandler());
  page('/docs/:file', docsFileHandler(readFile));
  return router;
}

/** The route table. Both versions of a route share its limit, and its name in logs and metrics. */
function routes({ ledger, feed, limits, stopping, streamsEnd }: AppDependencies): Router {
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
  const writes: Access = { scope: 'reprice', products: 'handler' };
  const reads: Access = { scope: 'read', products: 'handler' };
  const readsOne: Access = { scope: 'read', products: 'path' };

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
  route('get', '/product/:productId/history', readsOne, ...read(), priceHistoryHandler(ledger));
  route('get', '/record/:seq', reads, ...read(), refuseParameters(), recordHandler(ledger));
  route('get', '/query', reads, limited(), queryPricesHandler(ledger, streamsEnd));
  route('get', '/products', reads, ...read(), listProductsHandler(ledger));
  route(
    'post',
    '/products/prices',
    reads,
    ...read(),
    refuseParameters(),
    readBody(priceListBodyBytesMax),
    currentPricesHandler(ledger),
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
