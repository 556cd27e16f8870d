import { Counter, Gauge, type Registry } from 'prom-client';
import { ClientMetrics } from './client-metrics.ts';
import type { Readings } from './readings.ts';

interface Sampled {
  readonly name: string;
  readonly help: string;
  /** Undefined is not known (yet). */
  readonly read: (readings: Readings) => number | undefined;
}

const gauges: readonly Sampled[] = [
  {
    name: 'repricer_ready',
    help: 'Whether the service may be sent requests.',
    read: (readings) => (readings.isReady ? 1 : 0),
  },
  {
    name: 'repricer_read_only',
    help: 'Whether an operator has switched writes off.',
    read: (readings) => (readings.isReadOnly ? 1 : 0),
  },
  {
    name: 'repricer_queue_length',
    help: 'Records that wait or are being written.',
    read: (readings) => readings.queueLength,
  },
  {
    name: 'repricer_queue_length_max',
    help: 'How many of them there may be; one more is refused.',
    read: (readings) => readings.queueMax,
  },
  {
    name: 'repricer_acknowledged_seq',
    help: 'Seq of the last record that was acknowledged.',
    read: (readings) => readings.acknowledgedSeq,
  },
  {
    name: 'repricer_aggregation_lag_records',
    help: 'Records that are in the journal and not yet in product files.',
    read: (readings) => readings.aggregationLag.records,
  },
  {
    name: 'repricer_aggregation_lag_records_max',
    help: 'How many of them there may be; more writes wait, and are then refused.',
    read: (readings) => readings.aggregationLagRecordsMax,
  },
  {
    name: 'repricer_aggregation_lag_seconds',
    help: 'For how long the oldest of them has been waiting.',
    read: (readings) => readings.aggregationLag.seconds,
  },
  {
    name: 'repricer_clock_skew_seconds',
    help: 'How far the clock is behind the newest record; records are stamped in order all the same.',
    read: (readings) => readings.clockSkewSeconds,
  },
  {
    name: 'repricer_free_bytes',
    help: 'Room on the volume of the ledger.',
    read: (readings) => readings.freeBytes,
  },
  {
    name: 'repricer_free_bytes_min',
    help: 'Writes stop when the volume has less room.',
    read: (readings) => readings.freeBytesMin,
  },
  {
    name: 'repricer_free_files',
    help: 'Files that the volume can still take; without a sample where it does not count them.',
    read: (readings) => finite(readings.freeFiles),
  },
  {
    name: 'repricer_idempotency_keys',
    help: 'Idempotency keys that are known.',
    read: (readings) => readings.idempotencyKeys,
  },
  {
    name: 'repricer_tokens',
    help: 'Tokens that let clients in.',
    read: (readings) => readings.tokens,
  },
  {
    name: 'repricer_tokens_file_broken',
    help: 'Whether the tokens file is broken or unreadable; the tokens of before stay in force.',
    read: (readings) => (readings.isTokensFileBroken ? 1 : 0),
  },
  {
    name: 'repricer_stream_subscribers',
    help: 'Open streams of the feed.',
    read: (readings) => readings.streamSubscribers,
  },
];

const counters: readonly Sampled[] = [
  {
    name: 'repricer_last_price_cache_hits_total',
    help: 'Last prices that were found in memory.',
    read: (readings) => readings.lastPriceCacheHits,
  },
  {
    name: 'repricer_last_price_cache_misses_total',
    help: 'Last prices that were not found in memory.',
    read: (readings) => readings.lastPriceCacheMisses,
  },
  {
    name: 'repricer_idempotency_keys_forgotten_total',
    help: 'Idempotency keys that were forgotten before their time, because as many as may be were known; after a start at least those that it left out.',
    read: (readings) => readings.idempotencyKeysForgotten,
  },
  {
    name: 'repricer_stream_events_total',
    help: 'Price events that were sent to subscribers of the feed.',
    read: (readings) => readings.streamEvents,
  },
  {
    name: 'repricer_stream_dropped_total',
    help: 'Subscribers of the feed that were dropped because they did not read.',
    read: (readings) => readings.streamsDropped,
  },
  {
    name: 'repricer_log_lines_dropped_total',
    help: 'Log lines that no reader will see.',
    read: (readings) => readings.logLinesDropped,
  },
];

/** These are of interest before there was the first of them. */
const usualOutcomes: readonly string[] = [
  'recorded',
  'replayed',
  'PRECONDITION_FAILED',
  'PRICE_CONFLICT',
];

/**
 * The metrics of what other objects count or hold, which are taken over at each scrape. A gauge whose
 * value is not known has no sample, because a seq of 0 would read as a lost ledger.
 */
export class SampledMetrics {
  readonly #gauges: readonly (readonly [Gauge, Sampled['read']])[];
  readonly #counters: readonly (readonly [Counter, Sampled['read']])[];
  readonly #unreadyReasons: Gauge<'reason'>;
  readonly #reprices: Counter<'outcome'>;
  readonly #clients: ClientMetrics;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#gauges = gauges.map(({ name, help, read }) => [
      new Gauge({ name, help, registers }),
      read,
    ]);
    this.#counters = counters.map(({ name, help, read }) => [
      new Counter({ name, help, registers }),
      read,
    ]);
    this.#unreadyReasons = new Gauge({
      name: 'repricer_not_ready',
      help: 'What keeps the service from being ready, 1 for each that stands.',
      labelNames: ['reason'],
      registers,
    });
    this.#reprices = new Counter({
      name: 'repricer_reprices_total',
      help: 'Reprices that came to the queue, each line of a batch and each new try of it, by outcome.',
      labelNames: ['outcome'],
      registers,
    });
    this.#clients = new ClientMetrics(registry);
  }

  take(readings: Readings): void {
    for (const [gauge, read] of this.#gauges) {
      const value = read(readings);
      if (value === undefined) gauge.remove();
      else gauge.set(value);
    }
    for (const [counter, read] of this.#counters) {
      counter.reset();
      counter.inc(read(readings) ?? 0);
    }
    this.#unreadyReasons.reset();
    for (const reason of readings.unreadyReasons) this.#unreadyReasons.set({ reason }, 1);
    this.#reprices.reset();
    for (const outcome of usualOutcomes) this.#reprices.inc({ outcome }, 0);
    for (const [outcome, count] of readings.reprices) this.#reprices.inc({ outcome }, count);
    this.#clients.take(readings.clients);
  }
}

function finite(value: number | undefined): number | undefined {
  return value === Number.POSITIVE_INFINITY ? undefined : value;
}
