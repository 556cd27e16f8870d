import type { Timestamp } from '../model/timestamp.ts';

/** A range of time and the buckets that it is cut into. */
export interface HistoryRange {
  /** Where the first bucket begins. */
  readonly from: Timestamp;
  /** Where the last bucket ends, itself not included; later than `from`. */
  readonly to: Timestamp;
  /** The length of each bucket but the last, which ends at `to`; at least 1. */
  readonly intervalMicros: number;
}

export function bucketCount({ from, to, intervalMicros }: HistoryRange): number {
  return Math.ceil((to - from) / intervalMicros);
}
