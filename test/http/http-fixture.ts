import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import { anonymousClients, type Clients } from '../../src/access/client.ts';
import { ClientStatistics } from '../../src/access/client-statistics.ts';
import { type AppDependencies, createApp, createRequestListener } from '../../src/app.ts';
import type { RepricerError } from '../../src/errors.ts';
import { type FollowedLedger, PriceFeed } from '../../src/http/feed/price-feed.ts';
import { createHttpServer } from '../../src/http/server/http-server.ts';
import type { HistoryRange } from '../../src/ledger/history-range.ts';
import { PriceBucket } from '../../src/ledger/price-bucket.ts';
import type { PriceInForce } from '../../src/ledger/price-in-force.ts';
import type { PriceList, ProductPage } from '../../src/ledger/price-list.ts';
import type { PriceFilter, PricePage, PriceQuery } from '../../src/ledger/price-query.ts';
import type { Receipt } from '../../src/ledger/receipt.ts';
import type { RepriceResult, Terms } from '../../src/ledger/reprice.ts';
import type { PriceRecord, PriceUpdate } from '../../src/model/price-record.ts';
import type { ProductId } from '../../src/model/product-id.ts';
import { type Timestamp, toTimestamp } from '../../src/model/timestamp.ts';
import type { LogFields, LogLevel } from '../../src/ops/log-line.ts';
import type { RequestObservation } from '../../src/ops/metrics.ts';
import type { RequestFields } from '../../src/ops/request-line.ts';
import { price, productId } from '../support/records.ts';

export function record(change: Partial<PriceRecord> = {}): PriceRecord {
  return {
    seq: 8001,
    batch: 7990,
    productId: productId('foo'),
    version: 12,
    previousPrice: price('3.50'),
    newPrice: price('3.55'),
    timestamp: toTimestamp(1_795_223_475_355_823),
    ...change,
  };
}

const recordPlace = { file: 'results/date=2026-11-21/1.ndjson', offset: 120, length: 140 };

const firstRecord = record({ seq: 1, version: 1, previousPrice: null, newPrice: price('3') });

/** A ledger that accepts everything, remembers what it was asked, and waits where it is told to. */
export class FakeLedger {
  readonly updates: PriceUpdate[] = [];
  readonly terms: Terms[] = [];
  readonly products: ProductId[] = [];
  readonly queries: PriceQuery[] = [];
  readonly moments: Timestamp[] = [];
  readonly ranges: HistoryRange[] = [];
  validTo: Timestamp | null = null;
  readonly scans: PriceFilter[] = [];
  current: PriceRecord | RepricerError | Error = record();
  /** What is in memory of each product; undefined has every read wait at the gate. */
  remembered: PriceRecord | undefined = undefined;
  /** What every call waits for. */
  gate: Promise<unknown> = Promise.resolve();

  /** Nothing is ever committed here. */
  readonly lastSeq = 0;
  readonly queueLength = 0;
  readonly onCommit = () => () => {};

  async reprice(update: PriceUpdate, terms: Terms = {}): Promise<RepriceResult> {
    this.updates.push(update);
    this.terms.push(terms);
    const current = await this.#answer();
    const receipt = { record: { ...current, ...update }, place: recordPlace };
    return { kind: 'recorded', receipt, isReplayed: false };
  }

  async repriceAll(): Promise<never> {
    await this.gate;
    throw new Error('not asked for here');
  }

  async currentPrice(productId: ProductId): Promise<PriceRecord> {
    this.products.push(productId);
    return { ...(await this.#answer()), productId };
  }

  currentPriceInMemory(productId: ProductId): PriceRecord | undefined {
    return this.remembered === undefined ? undefined : { ...this.remembered, productId };
  }

  async record(): Promise<Receipt> {
    return { record: await this.#answer(), place: recordPlace };
  }

  async priceAt(productId: ProductId, at: Timestamp): Promise<PriceInForce> {
    this.moments.push(at);
    return { record: { ...(await this.#answer()), productId }, validTo: this.validTo };
  }

  /** Two buckets: before the first price, and one in which 3.55 held all the time. */
  async history(productId: ProductId, range: HistoryRange): Promise<readonly PriceBucket[]> {
    this.products.push(productId);
    this.ranges.push(range);
    const { newPrice } = await this.#answer();
    const middle = toTimestamp(range.from + range.intervalMicros);
    const second = new PriceBucket(middle, range.to);
    second.changes = 1;
    second.hold(newPrice, range.to - middle);
    return [new PriceBucket(range.from, middle), second];
  }

  async query(query: PriceQuery): Promise<PricePage> {
    this.queries.push(query);
    const last = await this.#answer();
    return { records: [firstRecord, last], hasPrevious: false, hasNext: false };
  }

  async *scan(filter: PriceFilter): AsyncGenerator<readonly PriceRecord[], void, void> {
    this.scans.push(filter);
    yield [firstRecord, await this.#answer()];
  }

  currentPrices(): Promise<PriceList> {
    return Promise.reject(new Error('not asked for here'));
  }

  listProducts(): Promise<ProductPage> {
    return Promise.reject(new Error('not asked for here'));
  }

  async #answer(): Promise<PriceRecord> {
    await this.gate;
    if (this.current instanceof Error) throw this.current;
    return this.current;
  }
}

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** A log that keeps its lines, of the level `info` and above. */
export class RecordedLog {
  readonly lines: LogLine[] = [];
  readonly droppedLines = 0;
  isInfoEnabled = true;

  error = (message: string, fields: LogFields = {}) => this.#add('error', message, fields);
  warn = (message: string, fields: LogFields = {}) => this.#add('warn', message, fields);
  info = (message: string, fields: LogFields = {}) => this.#add('info', message, fields);
  debug = (message: string, fields: LogFields = {}) => this.#add('debug', message, fields);
  request = (fields: RequestFields) => this.info('request', { ...fields });
  isEnabled = (level: LogLevel) => level !== 'info' || this.isInfoEnabled;
  close = () => Promise.resolve();

  #add(level: LogLevel, message: string, fields: LogFields): void {
    this.lines.push({ level, message, fields });
  }
}

export interface Service<Ledger = FakeLedger> {
  readonly port: number;
  readonly server: http.Server;
  readonly ledger: Ledger;
  readonly feed: PriceFeed;
  readonly log: RecordedLog;
  readonly observed: RequestObservation[];
  readonly statistics: ClientStatistics;
}

export interface ServiceOptions extends Partial<AppDependencies['limits']> {
  readonly isDraining?: () => boolean;
  readonly stopping?: AbortSignal;
  readonly clients?: Clients;
  readonly origins?: readonly string[];
  readonly isCompressing?: boolean;
  readonly isLocalOnly?: boolean;
  /** Whether the hot routes stand before the app, as they do in the service. */
  readonly isHot?: boolean;
  readonly streamHeartbeatMs?: number;
  readonly connectionsMax?: number;
}

export const testHttpLimits = {
  bodyBytesMax: 16_384,
  readsMax: 50,
  batchesMax: 4,
  batchLinesMax: 1000,
  pageSizeMax: 1000,
  requestTimeoutMs: 15_000,
  clientRate: 0,
  clientBurst: 100,
};

/** The app behind its HTTP server on a port of its own, with nothing real below it. */
export function startService(t: ExecutionContext, options: ServiceOptions = {}): Promise<Service> {
  return serve(t, new FakeLedger(), options);
}

/** The app for this ledger behind its HTTP server on a port of its own. */
export async function serve<Ledger extends AppDependencies['ledger'] & FollowedLedger>(
  t: ExecutionContext,
  ledger: Ledger,
  options: ServiceOptions = {},
): Promise<Service<Ledger>> {
  const {
    isDraining = () => false,
    clients = anonymousClients,
    origins = [],
    isCompressing = false,
    isLocalOnly = false,
    isHot = true,
    stopping,
    streamHeartbeatMs = 15_000,
    connectionsMax = 2000,
    ...limits
  } = options;
  const httpLimits = { ...testHttpLimits, ...limits };
  const { requestTimeoutMs } = httpLimits;
  const log = new RecordedLog();
  const observed: RequestObservation[] = [];
  const feedLimits = { streamHeartbeatMs, streamStallMs: 60_000, streamSubscribersMax: 1000 };
  const feed = new PriceFeed(ledger, feedLimits, log);
  const statistics = new ClientStatistics(undefined);
  const dependencies: AppDependencies = {
    ledger,
    feed,
    clients,
    origins,
    isCompressing,
    isLocalOnly,
    statistics,
    log,
    metrics: {
      observeRequest: (observation: RequestObservation) => void observed.push(observation),
    },
    limits: httpLimits,
    isDraining,
    ...(stopping !== undefined && { stopping }),
    readFile,
  };
  const serve = isHot ? createRequestListener(dependencies) : createApp(dependencies).callback();
  const server = createHttpServer(serve, { requestTimeoutMs, connectionsMax });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: portOf(server), server, ledger, feed, log, observed, statistics };
}

function portOf(server: http.Server): number {
  return (server.address() as AddressInfo).port;
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

export interface ToldProblem {
  readonly type: string;
  readonly detail: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

/** The problem that a refusal tells. */
export function problemOf({ text }: Pick<Answer, 'text'>): ToldProblem {
  return JSON.parse(text) as ToldProblem;
}

/** Where a refusal says that the request is wrong; undefined when it names no place. */
export function pointersOf(answer: Pick<Answer, 'text'>): readonly string[] | undefined {
  return problemOf(answer).errors?.map(({ pointer }) => pointer);
}

export interface Asked {
  readonly method?: string;
  /** By name, or names and values in turns, which are then sent as they are. */
  readonly headers?: http.OutgoingHttpHeaders | readonly string[];
  readonly body?: string | Buffer;
}

/** One request through node:http, which sends the path and the headers as they are. */
export async function ask(
  { port }: Pick<Service, 'port'>,
  path: string,
  { method = 'GET', headers = {}, body }: Asked = {},
): Promise<Answer> {
  const request = http.request({ port, path, method, headers, agent: false });
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: Buffer.concat(chunks).toString(),
  };
}

/** POST /api/reprice with a body of JSON text or bytes. */
export function post(
  service: Service,
  body: string | Buffer,
  headers: http.OutgoingHttpHeaders = {},
): Promise<Answer> {
  const sent = { 'content-type': 'application/json', ...headers };
  return ask(service, '/api/reprice', { method: 'POST', headers: sent, body });
}

export function connect({ port }: Service): net.Socket {
  return net.connect({ port, host: '127.0.0.1' });
}

/** Everything that the service sends until it ends the connection. */
export async function readToEnd(socket: net.Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  await new Promise<void>((resolve) => {
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
  });
  return Buffer.concat(chunks).toString();
}

/** What the service answers to these bytes on a connection that it must end itself. */
export function exchange(service: Service, bytes: string | Buffer): Promise<string> {
  const socket = connect(service);
  socket.write(bytes);
  return readToEnd(socket);
}

/** A promise that the test settles. */
export function hold(): { readonly promise: Promise<void>; readonly release: () => void } {
  let release = () => {};
  const promise = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { promise, release };
}
