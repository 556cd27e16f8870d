import test from 'ava';
import { Metrics } from '../../src/ops/metrics.ts';
import type { Readings } from '../../src/ops/readings.ts';
import { sampleOf, unknownReadings } from './samples.ts';

test('requests are counted by route, method and class of status, and timed by route', async (t) => {
  const metrics = new Metrics(() => unknownReadings);
  const route = '/api/reprice';

  metrics.observeRequest({ route, method: 'POST', status: 202, seconds: 0.004 });
  metrics.observeRequest({ route, method: 'POST', status: 200, seconds: 0.004 });
  metrics.observeRequest({ route, method: 'POST', status: 503, seconds: 0.0001 });
  metrics.observeRequest({ route: 'other', method: 'GET', status: 404, seconds: 9 });

  const text = await metrics.render();
  const requests = 'repricer_http_requests_total';
  t.is(sampleOf(text, `${requests}{route="${route}",method="POST",status_class="2xx"}`), 2);
  t.is(sampleOf(text, `${requests}{route="${route}",method="POST",status_class="5xx"}`), 1);
  t.is(sampleOf(text, `${requests}{route="other",method="GET",status_class="4xx"}`), 1);
  const seconds = 'repricer_http_request_seconds';
  t.is(sampleOf(text, `${seconds}_bucket{le="0.0025",route="${route}"}`), 1);
  t.is(sampleOf(text, `${seconds}_bucket{le="0.005",route="${route}"}`), 3);
  t.is(sampleOf(text, `${seconds}_count{route="other"}`), 1);
});

test('batches and their syncs are measured from 0.1 ms to 10 s', async (t) => {
  const metrics = new Metrics(() => unknownReadings);

  metrics.observeBatch(1, 0.0001);
  metrics.observeBatch(50, 10);

  const text = await metrics.render();
  t.is(sampleOf(text, 'repricer_batch_records_sum'), 51);
  t.is(sampleOf(text, 'repricer_batch_records_bucket{le="1"}'), 1);
  t.is(sampleOf(text, 'repricer_sync_seconds_bucket{le="0.0001"}'), 1);
  t.is(sampleOf(text, 'repricer_sync_seconds_bucket{le="1"}'), 1);
  t.is(sampleOf(text, 'repricer_sync_seconds_bucket{le="10"}'), 2);
});

test('what other objects hold is read at each scrape', async (t) => {
  let readings: Readings = {
    isReady: true,
    unreadyReasons: [],
    isReadOnly: true,
    queueLength: 3,
    queueMax: 50,
    reprices: new Map([['recorded', 9]]),
    aggregationLag: { records: 5, seconds: 0.5 },
    aggregationLagRecordsMax: 200_000,
    clockSkewSeconds: 0.25,
    acknowledgedSeq: 10,
    freeBytes: 1000,
    freeFiles: 10,
    freeBytesMin: 100,
    lastPriceCacheHits: 7,
    lastPriceCacheMisses: 2,
    idempotencyKeys: 7,
    tokens: 5,
    isTokensFileBroken: true,
    idempotencyKeysForgotten: 3,
    streamSubscribers: 3,
    streamEvents: 12,
    streamsDropped: 2,
    clients: [
      {
        name: null,
        ...{ requests: 9, accepted: 4, read: 3, refused: { QUEUE_FULL: 2, BAD_REQUEST: 1 } },
        ...{ receivedBytes: 1000, sentBytes: 2000, lastSeen: '1970-01-01T00:01:00.500Z' },
      },
    ],
    logLinesDropped: 1,
  };
  const metrics = new Metrics(async () => readings);
  const names = [
    'repricer_ready',
    'repricer_read_only',
    'repricer_queue_length',
    'repricer_queue_length_max',
    'repricer_reprices_total{outcome="recorded"}',
    'repricer_aggregation_lag_records',
    'repricer_aggregation_lag_seconds',
    'repricer_aggregation_lag_records_max',
    'repricer_clock_skew_seconds',
    'repricer_acknowledged_seq',
    'repricer_free_bytes',
    'repricer_free_files',
    'repricer_free_bytes_min',
    'repricer_last_price_cache_hits_total',
    'repricer_last_price_cache_misses_total',
    'repricer_idempotency_keys',
    'repricer_idempotency_keys_forgotten_total',
    'repricer_stream_subscribers',
    'repricer_stream_events_total',
    'repricer_stream_dropped_total',
    'repricer_client_requests_total{client="(anonymous)"}',
    'repricer_client_accepted_total{client="(anonymous)"}',
    'repricer_client_read_total{client="(anonymous)"}',
    'repricer_client_refused_total{client="(anonymous)"}',
    'repricer_client_received_bytes_total{client="(anonymous)"}',
    'repricer_client_sent_bytes_total{client="(anonymous)"}',
    'repricer_client_last_seen_seconds{client="(anonymous)"}',
    'repricer_log_lines_dropped_total',
  ];

  const first = await metrics.render();
  readings = {
    ...readings,
    isReady: false,
    isReadOnly: false,
    queueLength: 0,
    lastPriceCacheHits: 8,
  };
  const second = await metrics.render();

  t.deepEqual(
    names.map((name) => sampleOf(first, name)),
    [
      1, 1, 3, 50, 9, 5, 0.5, 200_000, 0.25, 10, 1000, 10, 100, 7, 2, 7, 3, 3, 12, 2, 9, 4, 3, 3,
      1000, 2000, 60.5, 1,
    ],
  );
  t.deepEqual(
    names.map((name) => sampleOf(second, name)),
    [
      0, 0, 0, 50, 9, 5, 0.5, 200_000, 0.25, 10, 1000, 10, 100, 8, 2, 7, 3, 3, 12, 2, 9, 4, 3, 3,
      1000, 2000, 60.5, 1,
    ],
  );
});

test('a value that is not known has no sample instead of a false 0', async (t) => {
  const metrics = new Metrics(() => unknownReadings);
  const names = [
    'acknowledged_seq',
    'sealed_seq',
    'aggregated_seq',
    'checkpoint_seq',
    'free_bytes',
  ];

  const before = await metrics.render();
  metrics.setSealedSeq(1);
  metrics.setAggregatedSeq(2);
  metrics.setCheckpointSeq(3);
  const after = await metrics.render();

  t.deepEqual(
    names.map((name) => sampleOf(before, `repricer_${name}`)),
    [undefined, undefined, undefined, undefined, undefined],
  );
  t.deepEqual(
    names.map((name) => sampleOf(after, `repricer_${name}`)),
    [undefined, 1, 2, 3, undefined],
  );
});

test('connections that were closed at once are counted', async (t) => {
  const metrics = new Metrics(() => unknownReadings);

  metrics.countDroppedConnection();

  t.is(sampleOf(await metrics.render(), 'repricer_http_connections_dropped_total'), 1);
});

test('torn tails and failures of background work are counted', async (t) => {
  const metrics = new Metrics(() => unknownReadings);

  metrics.countTornTail();
  metrics.countBackgroundFailure('checkpoint');
  metrics.countBackgroundFailure('checkpoint');

  const text = await metrics.render();
  t.is(sampleOf(text, 'repricer_torn_tails_cut_total'), 1);
  t.is(sampleOf(text, 'repricer_background_failures_total{work="checkpoint"}'), 2);
});

test('two sets of metrics in one process share nothing, and each measures the process', async (t) => {
  const [one, other] = [new Metrics(() => unknownReadings), new Metrics(() => unknownReadings)];

  one.countTornTail();

  t.is(sampleOf(await other.render(), 'repricer_torn_tails_cut_total'), 0);
  t.regex(await other.render(), /^process_cpu_seconds_total /m);
});

test('series are few: less than 230 lines of our own with ten routes in use', async (t) => {
  const metrics = new Metrics(() => unknownReadings);

  for (let i = 0; i < 10; i++) {
    const request = { route: `/route/${i}`, method: 'GET', seconds: 0.001 };
    metrics.observeRequest({ ...request, status: 200 });
    metrics.observeRequest({ ...request, status: 503 });
  }

  const lines = (await metrics.render()).split('\n');
  t.true(lines.filter((line) => line.startsWith('repricer_')).length < 230);
});

test('a reading that fails fails the scrape', async (t) => {
  const metrics = new Metrics(() => Promise.reject(new Error('EIO')));

  await t.throwsAsync(metrics.render(), { message: 'EIO' });
});
