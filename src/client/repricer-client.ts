import { AnswerFields, parseAnswerList } from './answer-fields.ts';
import { repriceAtomically } from './atomic-batch.ts';
import { type Answer, createSend, exchange, type Sending } from './exchange.ts';
import type { LineResult } from './line-result.ts';
import { readNextQuery } from './next-link.ts';
import { filterQuery, instantText, type PriceFilter } from './price-filter.ts';
import { type HistoryRange, type PriceHistory, readPriceHistory } from './price-history.ts';
import { type PriceList, readPriceList } from './price-list.ts';
import {
  type PriceInForce,
  type PriceRecord,
  readPriceInForce,
  readPriceRecord,
  readPriceRecords,
} from './price-record.ts';
import { priceStream, type StreamOptions } from './price-stream.ts';
import { productPath } from './product-path.ts';
import { type BatchOptions, repriceBatch } from './reprice-batch.ts';
import { type BatchLine, type RepriceOptions, repriceRequest } from './reprice-request.ts';
import {
  type JournalRecord,
  type Receipt,
  type RepriceResult,
  readJournalRecord,
  readRepriceResult,
} from './reprice-result.ts';
import { defaultRetryLimits, type RetryLimits } from './retries.ts';

export { UnreadableAnswer } from './answer-fields.ts';
export type { LineOutcome, LineRecorded, LineRefused, LineResult } from './line-result.ts';
export type { PriceFilter } from './price-filter.ts';
export type { HistoryRange, PriceBucket, PriceHistory } from './price-history.ts';
export type { PriceList } from './price-list.ts';
export type { PriceInForce, PriceRecord } from './price-record.ts';
export type { StreamOptions } from './price-stream.ts';
export type { BatchOptions } from './reprice-batch.ts';
export type { Annotations, BatchLine, RepriceOptions } from './reprice-request.ts';
export type {
  Draft,
  JournalRecord,
  Receipt,
  RepriceResult,
  Unchanged,
} from './reprice-result.ts';
export { type FieldProblem, RepricerProblem } from './repricer-problem.ts';
export { RepricerUnreachable } from './repricer-unreachable.ts';
export type { RetryLimits } from './retries.ts';

export interface ClientOptions {
  /** Sent with every request, where the service needs one. */
  readonly token?: string | undefined;
  /** What is not given is as it is by default. */
  readonly retry?: Partial<RetryLimits>;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

const jsonType = 'application/json';

/**
 * A client of a Repricer service, over `fetch`. Prices are exact decimal text, `'3.50'`, both ways.
 *
 * Whatever passes by itself, as a broken connection or a full queue, is tried again within the retry
 * limits, and a write is recorded once however often it is sent, because it always has a key. Every
 * method throws a `RepricerProblem` for a refusal, a `RepricerUnreachable` when no whole answer came,
 * an `UnreadableAnswer` for one that is not Repricer's, and the reason of a signal that is aborted.
 *
 * There is nothing to close: a call that is over, and an iterator that was left, hold nothing.
 */
export class RepricerClient {
  readonly #api: URL;
  readonly #sending: Sending;

  /** `baseUrl`: of the service, such as `http://localhost:8080`; it may have a path. */
  constructor(baseUrl: string | URL, { token, retry = {} }: ClientOptions = {}) {
    this.#api = new URL('api/v1/', String(baseUrl).replace(/\/?$/, '/'));
    this.#sending = { send: createSend(token), limits: { ...defaultRetryLimits, ...retry } };
  }

  /** Records a price. When it resolves to a receipt, the record is on disk. */
  reprice(
    productId: string,
    price: string,
    options?: RepriceOptions & { readonly ifChanged?: false; readonly dryRun?: false },
  ): Promise<Receipt>;
  reprice(productId: string, price: string, options?: RepriceOptions): Promise<RepriceResult>;
  async reprice(
    productId: string,
    price: string,
    options: RepriceOptions = {},
  ): Promise<RepriceResult> {
    const url = this.#url('reprice', flags(options));
    const request = repriceRequest(productId, price, options);
    return this.#exchange(url, request, options, ({ headers, text }) =>
      readRepriceResult(AnswerFields.parse(text), headers.has('idempotent-replayed')),
    );
  }

  /**
   * Records many prices, and gives a result for each line, in order; one that is refused spoils no other.
   * Lines are taken as fast as results are, so there may be any number. A line whose connection broke
   * before its result came is sent again with the same key. If the lines throw, that is thrown after
   * the results of those before.
   */
  async *repriceBatch(
    lines: Iterable<BatchLine> | AsyncIterable<BatchLine>,
    options: BatchOptions = {},
  ): AsyncGenerator<LineResult, void, void> {
    const { atomic = false, retry = true, signal } = options;
    const { send, limits } = this.#sending;
    const sending = { send, limits: retry ? limits : { ...limits, attemptsMax: 1 } };
    const parameters = { ...flags(options), ...(atomic && { atomic: 'true' }) };
    const url = this.#url('reprice/batch', parameters);
    if (atomic) yield* await repriceAtomically(url, lines, { ...sending, signal });
    else yield* repriceBatch(url, lines, options, sending);
  }

  /** The product's last price. */
  async price(productId: string, options: CallOptions = {}): Promise<PriceRecord> {
    const url = this.#url(productPath(productId, 'price'));
    return this.#read(url, options, readPriceRecord);
  }

  /** The price in force at a moment (RFC 3339). */
  async priceAt(
    productId: string,
    at: string | Date,
    options: CallOptions = {},
  ): Promise<PriceInForce> {
    const url = this.#url(productPath(productId, 'price'), { at: instantText(at) });
    return this.#read(url, options, readPriceInForce);
  }

  /** The product's price over time. */
  async history(
    productId: string,
    { from, to, interval }: HistoryRange,
    options: CallOptions = {},
  ): Promise<PriceHistory> {
    const range = { from: instantText(from), to: instantText(to), interval };
    const url = this.#url(productPath(productId, 'history'), range);
    return this.#read(url, options, readPriceHistory);
  }

  /** The record with this seq, and where it stands. */
  record(seq: number, options: CallOptions = {}): Promise<JournalRecord> {
    return this.#read(this.#url(`record/${seq}`), options, readJournalRecord);
  }

  /** All records in a range, a page at a time. Those that are recorded meanwhile shift nothing. */
  async *query(
    filter: PriceFilter = {},
    options: CallOptions = {},
  ): AsyncGenerator<PriceRecord, void, void> {
    for await (const { text } of this.#pages('query', filterQuery(filter), options)) {
      yield* readPriceRecords(parseAnswerList(text));
    }
  }

  /** The last prices of all products whose ids begin with `prefix`. */
  async *products(prefix = '', options: CallOptions = {}): AsyncGenerator<PriceRecord, void, void> {
    const parameters = new URLSearchParams({ limit: '1000', ...(prefix !== '' && { prefix }) });
    for await (const { text } of this.#pages('products', String(parameters), options)) {
      const fields = AnswerFields.parse(text);
      yield* readPriceRecords(fields.list('products'));
      for (const productId of fields.texts('pending')) yield await this.price(productId, options);
    }
  }

  /** The last prices of up to 1000 products, as far as they are known in `waitMs`. */
  prices(
    productIds: readonly string[],
    waitMs?: number,
    options: CallOptions = {},
  ): Promise<PriceList> {
    const request = {
      method: 'POST',
      headers: { 'Content-Type': jsonType, Accept: jsonType },
      body: JSON.stringify({ productIds, waitMs }),
    };
    const url = this.#url('products/prices');
    return this.#exchange(url, request, options, ({ text }) =>
      readPriceList(AnswerFields.parse(text)),
    );
  }

  /** Follows the feed: every record after a place in the journal, once and in order. */
  stream(options: StreamOptions = {}): AsyncGenerator<PriceRecord, void, void> {
    const url = this.#url('stream');
    for (const productId of options.productIds ?? [])
      url.searchParams.append('productId', productId);
    return priceStream(url, options, this.#sending);
  }

  #read<Result>(
    url: URL,
    options: CallOptions,
    read: (fields: AnswerFields) => Result,
  ): Promise<Result> {
    const request = { headers: { Accept: jsonType } };
    return this.#exchange(url, request, options, ({ text }) => read(AnswerFields.parse(text)));
  }

  async *#pages(
    path: string,
    firstQuery: string,
    options: CallOptions,
  ): AsyncGenerator<Answer, void, void> {
    const url = this.#url(path);
    for (let query: string | undefined = firstQuery; query !== undefined; ) {
      url.search = query;
      const request = { headers: { Accept: jsonType } };
      const answer: Answer = await this.#exchange(url, request, options, (answer) => answer);
      yield answer;
      query = readNextQuery(answer.headers);
    }
  }

  #exchange<Result>(
    url: URL,
    request: RequestInit,
    { signal }: CallOptions,
    read: (answer: Answer) => Result,
  ): Promise<Result> {
    return exchange(url, request, { ...this.#sending, signal }, read);
  }

  #url(path: string, parameters: Readonly<Record<string, string>> = {}): URL {
    const url = new URL(path, this.#api);
    url.search = String(new URLSearchParams(parameters));
    return url;
  }
}

function flags({ ifChanged, dryRun }: Pick<RepriceOptions, 'ifChanged' | 'dryRun'>) {
  return {
    ...(ifChanged === true && { ifChanged: 'true' }),
    ...(dryRun === true && { dryRun: 'true' }),
  };
}
