import { isTimestamp, type Timestamp } from '../model/timestamp.ts';
import type { RecordSequence } from '../storage/record-sequence.ts';

/** The index of the first record later than `timestamp`; the sequence's length when there is none. */
export async function indexAfter(records: RecordSequence, timestamp: Timestamp): Promise<number> {
  const next = timestamp + 1;
  return isTimestamp(next) ? records.indexAt(next) : records.length;
}
