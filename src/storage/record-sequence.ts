import type { PriceRecord } from '../model/price-record.ts';
import type { Timestamp } from '../model/timestamp.ts';

/**
 * Records in the order of their seq, addressed by index from 0: all of the journal, those of one
 * product, or those of several. A sequence is a view of one moment: records committed later are not
 * in it. Every method reads only what it needs: O(log n) for a bound, O(end − start) for a slice.
 */
export interface RecordSequence {
  readonly length: number;

  /** The index of the first record at or after `timestamp`; `length` when there is none. */
  indexAt(timestamp: Timestamp): Promise<number>;

  /** The index of the first record whose seq is at least `seq`; `length` when there is none. */
  indexOfSeq(seq: number): Promise<number>;

  /** The records from index `start` up to, without, `end`; both within 0 … `length`. */
  slice(start: number, end: number): Promise<readonly PriceRecord[]>;
}
