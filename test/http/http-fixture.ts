import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import { type AppDependencies, createApp } from '../../src/app.ts';
import type { RepricerError } from '../../src/errors.ts';
import { PriceFeed } from '../../src/http/feed/price-feed.ts';
import { createHttpServer } from '../../src/http/http-server.ts';
import type { PriceQuery } from '../../src/ledger/price-query.ts';
import type { Preconditions, Receipt } from '../../src/ledger/receipt.ts';
import { toPrice } from '../../src/model/price.ts';
import type { PriceRecord, PriceUpdate } from '../../src/model/price-record.ts';
import { isProductId, type ProductId } from '../../src/model/product-id.ts';
import { toTimestamp } from '../../src/model/timestamp.ts';
import type { LogFields, LogLevel } from '../../src/ops/log-line.ts';
import type { RequestObservation } from '../../src/ops/metrics.ts';

export function productId(text: string): ProductId {
  if (!isProductId(text)) throw new Error(`${text} is not a product id`);
  return text;
}

export function price(text: string) {
  const price = toPrice(text);
  if (price === undefined) throw new Error(`${text} is not a price`);
  return price;
}

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

/** A ledger that accepts everything, remembers what it was asked, and waits where it is told to. */
export class FakeLedger {
  readonly updates: PriceUpdate[] = [];
  readonly preconditions: Preconditions[] = [];
  readonly products: ProductId[] = [];
  readonly queries: PriceQuery[] = [];
  current: PriceRecord | RepricerError | Error = record();
  /** What every call waits for. */
  gate: Promise<unknown> = Promise.resolve();

  /** Nothing is ever committed here. */
  readonly lastSeq = 0;
  readonly queueLength = 0;
  readonly onCommit = () => () => {};

  async reprice(update: PriceUpdate, preconditions: Preconditions): Promise<Receipt> {
    this.updates.push(update);
    this.preconditions.push(preconditions);
    const current = await this.#answer();
    const place = { file: 'results/date=2026-11-21/1.ndjson', offset: 120, length: 140 };
    return { record: { ...current, ...update }, place };
  }

  async currentPrice(productId: ProductId): Promise<PriceRecord> {
    this.products.push(productId);
    return { ...(await this.#answer()), productId };
  }

  async query(query: PriceQuery): Promise<readonly PriceRecord[]> {
    this.queries.push(query);
    const last = await this.#answer();
    return [record({ seq: 1, version: 1, previousPrice: null, newPrice: price('3') }), last];
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
  isEnabled = (level: LogLevel) => level !== 'info' || this.isInfoEnabled;
  close = () => Promise.resolve();

  #add(level: LogLevel, message: string, fields: LogFields): void {
    this.lines.push({ level, message, fields });
  }
}

export interface Service {
  readonly port: number;
  readonly server: http.Server;
  readonly ledger: FakeLedger;
  readonly log: RecordedLog;
  readonly observed: RequestObservation[];
}

export interface ServiceOptions extends Partial<AppDependencies['limits']> {
  readonly isDraining?: () => boolean;
  readonly streamHeartbeatMs?: number;
  readonly requestTimeoutMs?: number;
  readonly connectionsMax?: number;
}

/** The app behind its HTTP server on a port of its own, with nothing real below it. */
export async function startService(
  t: ExecutionContext,
  options: ServiceOptions = {},
): Promise<Service> {
  const { bodyBytesMax = 16_384, readsMax = 50 } = options;
  const { requestTimeoutMs = 15_000, connectionsMax = 2000 } = options;
  const ledger = new FakeLedger();
  const log = new RecordedLog();
  const observed: RequestObservation[] = [];
  const { streamHeartbeatMs = 15_000 } = options;
  const feedLimits = { streamHeartbeatMs, streamStallMs: 60_000, streamSubscribersMax: 1000 };
  const app = createApp({
    ledger,
    feed: new PriceFeed(ledger, feedLimits, log),
    log,
    metrics: {
      observeRequest: (observation: RequestObservation) => void observed.push(observation),
    },
    limits: { bodyBytesMax, readsMax },
    isDraining: options.isDraining ?? (() => false),
  });
  const server = createHttpServer(app, { requestTimeoutMs, connectionsMax });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: portOf(server), server, ledger, log, observed };
}

function portOf(server: http.Server): number {
  return (server.address() as AddressInfo).port;
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

/** One request through node:http, which sends the path and the headers as they are. */
export async function ask(
  { port }: Service,
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
