import type { ClientStatistics } from './access/client-statistics.ts';
import type { ReloadedTokens } from './access/reloaded-tokens.ts';
import type { Config } from './config/options.ts';
import type { PriceFeed } from './http/feed/price-feed.ts';
import type { PriceLedger } from './ledger/price-ledger.ts';
import type { Health } from './ops/health.ts';
import type { Log } from './ops/log.ts';
import type { Readings } from './ops/readings.ts';
import type { FileStorage } from './storage/file-storage.ts';

/** The parts of a service whose values are measured, as far as they are there by now. */
export interface MeasuredParts {
  readonly config: Config;
  readonly health: Health;
  readonly log: Log;
  readonly tokens: ReloadedTokens | undefined;
  statistics?: ClientStatistics;
  storage?: FileStorage;
  ledger?: PriceLedger;
  feed?: PriceFeed;
  /** Of the volume, when it was looked at last. */
  room?: { readonly freeBytes: number; readonly freeFiles: number };
}

/** What the metrics have of a service, while it recovers as well. */
export function readService({
  config,
  health,
  log,
  statistics,
  tokens,
  storage,
  ledger,
  feed,
  room,
}: MeasuredParts): Readings {
  return {
    isReady: health.isReady,
    unreadyReasons: health.reasons.map(({ reason }) => reason),
    isReadOnly: ledger?.isReadOnly ?? false,
    queueLength: ledger?.queueLength ?? 0,
    queueMax: config.queueMax,
    reprices: ledger?.outcomes ?? new Map(),
    aggregationLag: storage?.aggregationLag ?? { records: 0, seconds: 0 },
    aggregationLagRecordsMax: config.backlogRecordsMax,
    clockSkewSeconds: ledger?.clockSkewSeconds ?? 0,
    acknowledgedSeq: ledger?.lastSeq,
    freeBytes: room?.freeBytes,
    freeFiles: room?.freeFiles,
    freeBytesMin: config.freeBytesMin,
    lastPriceCacheHits: ledger?.cacheHits ?? 0,
    lastPriceCacheMisses: ledger?.cacheMisses ?? 0,
    idempotencyKeys: ledger?.idempotencyKeys.size ?? 0,
    idempotencyKeysForgotten: ledger?.idempotencyKeys.forgottenEarly ?? 0,
    streamSubscribers: feed?.subscribers ?? 0,
    streamEvents: feed?.events ?? 0,
    streamsDropped: feed?.dropped ?? 0,
    tokens: tokens?.size,
    isTokensFileBroken: tokens?.isBroken ?? false,
    clients: statistics?.measured ?? [],
    logLinesDropped: log.droppedLines,
  };
}
