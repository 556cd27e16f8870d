import type { UsageTotals } from '../access/client-usage.ts';

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
  /** Whether the tokens file could not be read, or was broken, when it was looked at last. */
  readonly isTokensFileBroken: boolean;
  /** Since the start. */
  readonly idempotencyKeysForgotten: number;
  /** Open streams of the feed; events sent and subscribers dropped since the start. */
  readonly streamSubscribers: number;
  readonly streamEvents: number;
  readonly streamsDropped: number;
  /** A bounded number of them. */
  readonly clients: readonly UsageTotals[];
  /** Since the start. */
  readonly logLinesDropped: number;
}
