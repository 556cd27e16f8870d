import type { FileSystem } from '../files/file-system.ts';
import { readLines } from '../files/lines.ts';
import type { PriceRecord } from '../model/price-record.ts';
import type { Timestamp } from '../model/timestamp.ts';
import { journalDamaged } from './damage.ts';
import type { ReadableSegment } from './open-segment.ts';
import { openSegmentFile } from './open-segment-file.ts';
import { BadRecord, decodeRecord, recordBytesMax } from './record.ts';

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
  const { file, bytes, firstSeq } = segment;
  let records: PriceRecord[] = [];
  const handle = await openSegmentFile(files, directory, segment);
  try {
    for await (const lines of readLines(handle, 0, bytes, recordBytesMax)) {
      for (const line of lines) {
        if (!line.bytes.includes(mark)) continue;
        const record = decodeRecord(line.bytes);
        if (record instanceof BadRecord) {
          const damage = { file, offset: line.offset, seq: firstSeq };
          throw journalDamaged('sealed-bad-line', { ...damage, problem: record.problem });
        }
        // The text of a reason may look like it.
        if (record.idempotencyKey !== undefined) records.push(record);
      }
      // Only the newest are wanted, and they come last.
      if (records.length > 2 * countMax) records = records.slice(-countMax);
    }
  } finally {
    await handle.close();
  }
  return records.slice(-countMax);
}

const mark = ',"idempotencyKey":"';
