import type { FileSystem } from '../files/file-system.ts';
import type { PriceRecord } from '../model/price-record.ts';
import type { Timestamp } from '../model/timestamp.ts';
import type { ReadableSegment } from './open-segment.ts';
import { decodeSegmentLine, segmentLines } from './segment-lines.ts';

/**
 * The newest records with an idempotency key, at most `countMax`, not older than `since`, in order.
 * Segments are read from the newest back, and only those that have such records; in them only lines
 * that have a key are looked into. Throws `JOURNAL_DAMAGED` for one that cannot be read.
 */
export async function readKeyedRecords(
  files: FileSystem,
  directory: string,
  segments: readonly ReadableSegment[],
  since: Timestamp,
  countMax: number,
): Promise<readonly PriceRecord[]> {
  let found: readonly PriceRecord[] = [];
  for (const segment of segments.toReversed()) {
    if (segment.lastTimestamp < since || found.length >= countMax) break;
    if (segment.keyedRows === 0) continue;
    const older = await keyedRecordsIn(files, directory, segment, countMax - found.length);
    found = [...older, ...found];
  }
  return found.filter(({ timestamp }) => timestamp >= since).slice(-countMax);
}

async function keyedRecordsIn(
  files: FileSystem,
  directory: string,
  segment: ReadableSegment,
  countMax: number,
): Promise<readonly PriceRecord[]> {
  let records: PriceRecord[] = [];
  for await (const lines of segmentLines(files, directory, segment)) {
    for (const line of lines) {
      if (!line.bytes.includes(mark)) continue;
      const record = decodeSegmentLine(segment, line);
      // The text of a reason may look like it.
      if (record.idempotencyKey !== undefined) records.push(record);
    }
    // Only the newest are wanted, and they come last.
    if (records.length > 2 * countMax) records = records.slice(-countMax);
  }
  return records.slice(-countMax);
}

const mark = ',"idempotencyKey":"';
