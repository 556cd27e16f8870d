import type { FileSystem } from '../files/file-system.ts';
import type { PriceRecord } from '../model/price-record.ts';
import type { Timestamp } from '../model/timestamp.ts';
import type { ReadableSegment } from './open-segment.ts';
import { markedRecord, readSegmentLines } from './segment-lines.ts';

/** Records with an idempotency key, in order. */
export interface KeyedRecords {
  readonly records: readonly PriceRecord[];
  /** How many there are beside them; at least so many where a segment was never counted. */
  readonly leftOut: number;
}

/**
 * The newest records with an idempotency key, at most `countMax`, not older than `since`. Segments are
 * read from the newest back, and only those that have such records; in them only lines that have a key
 * are looked into. Once there are enough, what is left out is what the manifest counts, but for the one
 * segment in which that time began. Throws `JOURNAL_DAMAGED` for a line that cannot be read.
 */
export async function readKeyedRecords(
  files: FileSystem,
  directory: string,
  segments: readonly ReadableSegment[],
  since: Timestamp,
  countMax: number,
): Promise<KeyedRecords> {
  let records: readonly PriceRecord[] = [];
  let leftOut = 0;
  for (const [index, segment] of [...segments.entries()].toReversed()) {
    if (segment.lastTimestamp < since) break;
    if (segment.keyedRows === 0) continue;
    const room = countMax - records.length;
    const isOfThatTime = (segments[index - 1]?.lastTimestamp ?? 0) >= since;
    if (room === 0 && (isOfThatTime || segment.keyedRows === undefined)) {
      leftOut += segment.keyedRows ?? 0;
      continue;
    }
    const older = await keyedRecordsIn(files, directory, segment, { since, countMax: room });
    records = [...older.records, ...records];
    leftOut += older.leftOut;
  }
  return { records, leftOut };
}

async function keyedRecordsIn(
  files: FileSystem,
  directory: string,
  segment: ReadableSegment,
  { since, countMax }: { readonly since: Timestamp; readonly countMax: number },
): Promise<KeyedRecords> {
  let records: PriceRecord[] = [];
  let leftOut = 0;
  const keepNewest = () => {
    const excess = Math.max(0, records.length - countMax);
    leftOut += excess;
    records = records.slice(excess);
  };
  for await (const { firstSeq, lines } of readSegmentLines(files, directory, segment)) {
    for (const [index, line] of lines.entries()) {
      const record = markedRecord(segment, line, firstSeq + index, mark);
      // The text of a reason may look like it.
      if (record?.idempotencyKey === undefined) continue;
      if (record.timestamp >= since) records.push(record);
    }
    // Only the newest are wanted, and they come last.
    if (records.length > 2 * countMax) keepNewest();
  }
  keepNewest();
  return { records, leftOut };
}

const mark = Buffer.from(',"idempotencyKey":"');
