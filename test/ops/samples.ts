import type { Readings } from '../../src/ops/readings.ts';

/** What is read before anything is known. */
export const unknownReadings: Readings = {
  isReady: false,
  unreadyReasons: [],
  isReadOnly: false,
  queueLength: 0,
  queueMax: 50,
  reprices: new Map(),
  aggregationLag: { records: 0, seconds: 0 },
  aggregationLagRecordsMax: 200_000,
  clockSkewSeconds: 0,
  acknowledgedSeq: undefined,
  freeBytes: undefined,
  freeFiles: undefined,
  freeBytesMin: 0,
  lastPriceCacheHits: 0,
  lastPriceCacheMisses: 0,
  idempotencyKeys: 0,
  tokens: undefined,
  isTokensFileBroken: false,
  idempotencyKeysForgotten: 0,
  streamSubscribers: 0,
  streamEvents: 0,
  streamsDropped: 0,
  clients: [],
  logLinesDropped: 0,
};

/** The value of the series in Prometheus text; undefined when it has no sample. */
export function sampleOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
}
