import type { FileSystem } from '../files/file-system.ts';
import { type Line, readLines } from '../files/lines.ts';
import type { PriceRecord } from '../model/price-record.ts';
import { isIntact } from './checked-line.ts';
import { journalDamaged } from './damage.ts';
import type { ReadableSegment } from './open-segment.ts';
import { openSegmentFile } from './open-segment-file.ts';
import { BadRecord, decodeRecord, recordBytesMax } from './record.ts';

/** Some lines of a segment that follow one another, and the seq that the first of them has to have. */
export interface SegmentLines {
  readonly firstSeq: number;
  readonly lines: readonly Line[];
}

/** All lines of a segment that was checked before, a block of them at a time. */
export async function* readSegmentLines(
  files: FileSystem,
  directory: string,
  segment: ReadableSegment,
): AsyncGenerator<SegmentLines> {
  let { firstSeq } = segment;
  const file = await openSegmentFile(files, directory, segment);
  try {
    for await (const lines of readLines(file, 0, segment.bytes, recordBytesMax)) {
      yield { firstSeq, lines };
      firstSeq += lines.length;
    }
  } finally {
    await file.close();
  }
}

/** The record of a segment's line; throws `JOURNAL_DAMAGED`, which names file, offset and `seq`, where it is none. */
export function recordOfLine(segment: ReadableSegment, line: Line, seq: number): PriceRecord {
  const record = decodeRecord(line.bytes);
  if (!(record instanceof BadRecord)) return record;
  const { file } = segment;
  const { offset } = line;
  throw journalDamaged('sealed-bad-line', { file, offset, seq, problem: record.problem });
}

/**
 * The same where the line has `mark` in it, and undefined where it has not, which is far cheaper than
 * decoding each line. A mark that has rotted is damage as well, and no line without it.
 */
export function markedRecord(
  segment: ReadableSegment,
  line: Line,
  seq: number,
  mark: Buffer,
): PriceRecord | undefined {
  if (line.bytes.includes(mark) || !isIntact(line.bytes)) return recordOfLine(segment, line, seq);
  return undefined;
}
