import type { FileSystem } from '../files/file-system.ts';
import { type Line, readLines } from '../files/lines.ts';
import type { PriceRecord } from '../model/price-record.ts';
import { journalDamaged } from './damage.ts';
import type { ReadableSegment } from './open-segment.ts';
import { openSegmentFile } from './open-segment-file.ts';
import { BadRecord, decodeRecord, recordBytesMax } from './record.ts';

/** All lines of a segment that are durable, a block of them at a time. */
export async function* segmentLines(
  files: FileSystem,
  directory: string,
  segment: ReadableSegment,
): AsyncGenerator<readonly Line[]> {
  const file = await openSegmentFile(files, directory, segment);
  try {
    yield* readLines(file, 0, segment.bytes, recordBytesMax);
  } finally {
    await file.close();
  }
}

/** The record of such a line. All of them were good once: `JOURNAL_DAMAGED` for one that is not any more. */
export function decodeSegmentLine(
  { file, firstSeq: seq }: ReadableSegment,
  { offset, bytes }: Line,
): PriceRecord {
  const record = decodeRecord(bytes);
  if (!(record instanceof BadRecord)) return record;
  throw journalDamaged('sealed-bad-line', { file, offset, seq, problem: record.problem });
}
