import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ErrorCode } from '../errors.ts';

/** What other objects count or hold, read at each scrape; undefined is not known (yet). */
export interface Readings {
  readonly isReady: boolean;
  /** What keeps it from being ready; of a fixed few. */
  readonly unreadyReasons: readonly string[];
  /** Whether an operator has switched writes off. */
  readonly isReadOnly: boolean;
  /** Records that wait or are being written, and how many may. */
  readonly queueLength: number;
  readonly queueMax: number;
  /** What reprices came to since the start, by `RepriceOutcome`. */
  readonly reprices: ReadonlyMap<string, number>;
  /** How far product files are behind the journal, and how far they may be. */
  readonly aggregationLag: { readonly records: number; readonly seconds: number };
  readonly aggregationLagRecordsMax: number;
  /** How far the clock is behind the newest record. */
  readonly clockSkewSeconds: number;
  readonly acknowledgedSeq: number | undefined;
  /** Room on the volume, in bytes and in files, and with how few bytes writes stop. */
  readonly freeBytes: number | undefined;
  readonly freeFiles: number | undefined;
  readonly freeBytesMin: number;
  /** Last prices found in memory, and not found there, since the start. */
  readonly lastPriceCacheHits: number;
  readonly lastPriceCacheMisses: number;
  readonly idempotencyKeys: number;
  /** Tokens that let clients in; undefined where none are needed. */
  readonly tokens: number | undefined;
  /** Since the start. */
  readonly idempotencyKeysForgotten: number;
  /** Open streams of the feed; events sent and subscribers dropped since the start. */
  readonly streamSubscribers: number;
  readonly streamEvents: number;
  readonly streamsDropped: number;
  /** Since the start. */
  readonly logLinesDropped: number;
}

/** An answered request. */
export interface RequestObservation {
  /** The route's pattern and never the request's path, or series would grow without end. */
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
  /** Why it was refused or failed, when it was. */
  readonly refusal?: ErrorCode;
}

/**
 * Those that a rule waits for are there from the start with 0: Prometheus sees no increase in a series
 * that begins with 1.
 */
const watchedRefusals: readonly ErrorCode[] = [
  'QUEUE_FULL',
  'BACKLOG_FULL',
  'JOURNAL_DAMAGED',
  'PRODUCT_FILE_DAMAGED',
  'INTERNAL',
];

/** These are of interest before there was the first of them. */
const usualOutcomes: readonly string[] = [
  'recorded',
  'replayed',
  'PRECONDITION_FAILED',
  'PRICE_CONFLICT',
];

/**
 * The measurements of this process, in the form that Prometheus scrapes.
 *
 * A value that is not known yet has no sample, because a seq of 0 would read as a lost ledger.
 * A scrape holds up the event loop for about 0.1 ms per histogram series, so series are few.
 */
export class Metrics {
  readonly #read: () => Readings | Promise<Readings>;
  readonly #registry = new Registry();
  readonly #registers = [this.#registry];

  readonly #requests = new Counter({
    name: 'repricer_http_requests_total',
    help: 'Answered requests.',
    labelNames: ['route', 'method', 'status_class'],
    registers: this.#registers,
  });
  readonly #requestSeconds = new Histogram({
    name: 'repricer_http_request_seconds',
    help: 'Time from a request to the end of its answer.',
    labelNames: ['route'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5],
    registers: this.#registers,
  });
  readonly #refusals = new Counter({
    name: 'repricer_http_refusals_total',
    help: 'Requests that were refused or failed, by the code in their log line.',
    labelNames: ['code'],
    registers: this.#registers,
  });
  readonly #reprices = new Counter({
    name: 'repricer_reprices_total',
    help: 'Reprices that came to the queue, each line of a batch and each new try of it, by outcome.',
    labelNames: ['outcome'],
    registers: this.#registers,
  });
  readonly #queueWaitSeconds = new Histogram({
    name: 'repricer_queue_wait_seconds',
    help: 'Time that a write waited in the queue for the one before it.',
    buckets: [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 10],
    registers: this.#registers,
  });
  readonly #batchRecords = new Histogram({
    name: 'repricer_batch_records',
    help: 'Records that one group commit wrote and synced together.',
    buckets: [1, 2, 5, 10, 20, 50, 100, 1000],
    registers: this.#registers,
  });
  readonly #syncSeconds = new Histogram({
    name: 'repricer_sync_seconds',
    help: 'Time that the write and the fdatasync of a batch took.',
    buckets: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 10],
    registers: this.#registers,
  });
  readonly #syncHangs = this.#counter(
    'repricer_sync_hangs_total',
    'Batches that were not on disk after a second, counted while they were not.',
  );
  readonly #rebuilt = new Counter({
    name: 'repricer_derived_files_rebuilt_total',
    help: 'Files that were made anew from the journal, by the case of docs/recovery.md.',
    labelNames: ['case'],
    registers: this.#registers,
  });
  readonly #backgroundFailures = new Counter({
    name: 'repricer_background_failures_total',
    help: 'Failed attempts of background work; each is tried again.',
    labelNames: ['work'],
    registers: this.#registers,
  });
  readonly #tornTails = this.#counter(
    'repricer_torn_tails_cut_total',
    'Remains of interrupted batches that recovery cut.',
  );
  readonly #connectionsDropped = this.#counter(
    'repricer_http_connections_dropped_total',
    'Connections that were closed at once because as many as may be were open.',
  );
  readonly #tokensReloadFailures = this.#counter(
    'repricer_tokens_reload_failures_total',
    'Times that the tokens file was found broken or unreadable; the tokens of before stay in force.',
  );
  readonly #cacheHits = this.#counter(
    'repricer_last_price_cache_hits_total',
    'Last prices that were found in memory.',
  );
  readonly #cacheMisses = this.#counter(
    'repricer_last_price_cache_misses_total',
    'Last prices that were not found in memory.',
  );
  readonly #keysForgotten = this.#counter(
    'repricer_idempotency_keys_forgotten_total',
    'Idempotency keys that were forgotten before their time, because as many as may be were known; after a start at least those that it left out.',
  );
  readonly #streamEvents = this.#counter(
    'repricer_stream_events_total',
    'Price events that were sent to subscribers of the feed.',
  );
  readonly #streamsDropped = this.#counter(
    'repricer_stream_dropped_total',
    'Subscribers of the feed that were dropped because they did not read.',
  );
  readonly #logLinesDropped = this.#counter(
    'repricer_log_lines_dropped_total',
    'Log lines that no reader will see.',
  );
  readonly #keys = this.#gauge('repricer_idempotency_keys', 'Idempotency keys that are known.');
  readonly #tokens = this.#gauge('repricer_tokens', 'Tokens that let clients in.');
  readonly #ready = this.#gauge('repricer_ready', 'Whether the service may be sent requests.');
  readonly #unreadyReasons = new Gauge({
    name: 'repricer_not_ready',
    help: 'What keeps the service from being ready, 1 for each that stands.',
    labelNames: ['reason'],
    registers: this.#registers,
  });
  readonly #readOnly = this.#gauge(
    'repricer_read_only',
    'Whether an operator has switched writes off.',
  );
  readonly #queueLength = this.#gauge(
    'repricer_queue_length',
    'Records that wait or are being written.',
  );
  readonly #queueMax = this.#gauge(
    'repricer_queue_length_max',
    'How many of them there may be; one more is refused.',
  );
  readonly #lagRecords = this.#gauge(
    'repricer_aggregation_lag_records',
    'Records that are in the journal and not yet in product files.',
  );
  readonly #lagRecordsMax = this.#gauge(
    'repricer_aggregation_lag_records_max',
    'How many of them there may be; more writes wait, and are then refused.',
  );
  readonly #lagSeconds = this.#gauge(
    'repricer_aggregation_lag_seconds',
    'For how long the oldest of them has been waiting.',
  );
  readonly #clockSkew = this.#gauge(
    'repricer_clock_skew_seconds',
    'How far the clock is behind the newest record; records are stamped in order all the same.',
  );
  readonly #streamSubscribers = this.#gauge(
    'repricer_stream_subscribers',
    'Open streams of the feed.',
  );
  readonly #freeBytes = this.#gauge('repricer_free_bytes', 'Room on the volume of the ledger.');
  readonly #freeBytesMin = this.#gauge(
    'repricer_free_bytes_min',
    'Writes stop when the volume has less room.',
  );
  readonly #freeFiles = this.#gauge(
    'repricer_free_files',
    'Files that the volume can still take; without a sample where it does not count them.',
  );
  readonly #acknowledgedSeq = this.#gauge(
    'repricer_acknowledged_seq',
    'Seq of the last record that was acknowledged.',
  );
  readonly #sealedSeq = this.#gauge(
    'repricer_sealed_seq',
    'Seq of the last record in a sealed segment.',
  );
  readonly #aggregatedSeq = this.#gauge(
    'repricer_aggregated_seq',
    'Seq up to which product files are complete.',
  );
  readonly #checkpointSeq = this.#gauge(
    'repricer_checkpoint_seq',
    'Seq up to which product files are complete and on disk.',
  );

  /** Series by their labels, because finding a child by its label object is the dear part. */
  readonly #requestCounters = new Map<string, Counter.Internal>();
  readonly #requestTimers = new Map<string, Histogram.Internal<'route'>>();

  /** `read` is called at each scrape; when it rejects, so does `render`. */
  constructor(read: () => Readings | Promise<Readings>) {
    this.#read = read;
    collectDefaultMetrics({ register: this.#registry });
    for (const code of watchedRefusals) this.#refusals.inc({ code }, 0);
    this.#rebuilt.inc({ case: 'product-damaged' }, 0);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async render(): Promise<string> {
    const readings = await this.#read();
    setGauge(this.#ready, readings.isReady ? 1 : 0);
    setGauge(this.#readOnly, readings.isReadOnly ? 1 : 0);
    setGauge(this.#queueLength, readings.queueLength);
    setGauge(this.#acknowledgedSeq, readings.acknowledgedSeq);
    setGauge(this.#freeBytes, readings.freeBytes);
    setGauge(this.#freeBytesMin, readings.freeBytesMin);
    setGauge(this.#freeFiles, finite(readings.freeFiles));
    this.#unreadyReasons.reset();
    for (const reason of readings.unreadyReasons) this.#unreadyReasons.set({ reason }, 1);
    setGauge(this.#queueMax, readings.queueMax);
    this.#reprices.reset();
    for (const outcome of usualOutcomes) this.#reprices.inc({ outcome }, 0);
    for (const [outcome, count] of readings.reprices) this.#reprices.inc({ outcome }, count);
    setGauge(this.#lagRecords, readings.aggregationLag.records);
    setGauge(this.#lagSeconds, readings.aggregationLag.seconds);
    setGauge(this.#lagRecordsMax, readings.aggregationLagRecordsMax);
    setGauge(this.#clockSkew, readings.clockSkewSeconds);
    setCounter(this.#cacheHits, readings.lastPriceCacheHits);
    setCounter(this.#cacheMisses, readings.lastPriceCacheMisses);
    setGauge(this.#keys, readings.idempotencyKeys);
    setGauge(this.#tokens, readings.tokens);
    setCounter(this.#keysForgotten, readings.idempotencyKeysForgotten);
    setGauge(this.#streamSubscribers, readings.streamSubscribers);
    setCounter(this.#streamEvents, readings.streamEvents);
    setCounter(this.#streamsDropped, readings.streamsDropped);
    setCounter(this.#logLinesDropped, readings.logLinesDropped);
    return this.#registry.metrics();
  }

  observeRequest({ route, method, status, seconds, refusal }: RequestObservation): void {
    if (refusal !== undefined) this.countRefusal(refusal);
    this.#requestCounter(route, method, `${Math.floor(status / 100)}xx`).inc();
    this.#requestTimer(route).observe(seconds);
  }

  countRefusal(code: ErrorCode): void {
    this.#refusals.inc({ code });
  }

  /** What a write waited in the queue. */
  observeQueueWait(seconds: number): void {
    this.#queueWaitSeconds.observe(seconds);
  }

  countSyncHang(): void {
    this.#syncHangs.inc();
  }

  /** `label`: of docs/recovery.md. */
  countRebuiltFile(label: string): void {
    this.#rebuilt.inc({ case: label });
  }

  countDroppedConnection(): void {
    this.#connectionsDropped.inc();
  }

  countTokensReloadFailure(): void {
    this.#tokensReloadFailures.inc();
  }

  observeBatch(records: number, syncSeconds: number): void {
    this.#batchRecords.observe(records);
    this.#syncSeconds.observe(syncSeconds);
  }

  setSealedSeq(seq: number): void {
    this.#sealedSeq.set(seq);
  }

  setAggregatedSeq(seq: number): void {
    this.#aggregatedSeq.set(seq);
  }

  setCheckpointSeq(seq: number): void {
    this.#checkpointSeq.set(seq);
  }

  countBackgroundFailure(work: string): void {
    this.#backgroundFailures.inc({ work });
  }

  countTornTail(): void {
    this.#tornTails.inc();
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name, help, registers: this.#registers });
  }

  #gauge(name: string, help: string): Gauge {
    const gauge = new Gauge({ name, help, registers: this.#registers });
    gauge.remove();
    return gauge;
  }

  #requestCounter(route: string, method: string, statusClass: string): Counter.Internal {
    const key = `${method} ${statusClass} ${route}`;
    const known = this.#requestCounters.get(key);
    if (known !== undefined) return known;
    const counter = this.#requests.labels({ route, method, status_class: statusClass });
    this.#requestCounters.set(key, counter);
    return counter;
  }

  #requestTimer(route: string): Histogram.Internal<'route'> {
    const known = this.#requestTimers.get(route);
    if (known !== undefined) return known;
    const timer = this.#requestSeconds.labels({ route });
    this.#requestTimers.set(route, timer);
    return timer;
  }
}

function setGauge(gauge: Gauge, value: number | undefined): void {
  if (value === undefined) gauge.remove();
  else gauge.set(value);
}

function finite(value: number | undefined): number | undefined {
  return value === Number.POSITIVE_INFINITY ? undefined : value;
}

function setCounter(counter: Counter, value: number): void {
  counter.reset();
  counter.inc(value);
}
