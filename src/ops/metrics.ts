import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ErrorCode } from '../errors.ts';
import type { Readings } from './readings.ts';
import { SampledMetrics } from './sampled-metrics.ts';

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
  readonly #sampled = new SampledMetrics(this.#registry);

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
    this.#sampled.take(await this.#read());
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
