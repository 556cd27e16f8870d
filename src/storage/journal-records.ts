import { RepricerError } from '../errors.ts';
import type { FileSystem, OpenFile } from '../files/file-system.ts';
import { lastLine } from '../files/lines.ts';
import type { PlacedRecord, PriceRecord } from '../model/price-record.ts';
import type { Timestamp } from '../model/timestamp.ts';
import { type DamagedLine, describeDamage, describeDamagedLine } from './damage.ts';
import type { ReadableSegment } from './open-segment.ts';
import { openSegmentFile } from './open-segment-file.ts';
import { BadRecord, decodeRecord, recordBytesMax } from './record.ts';
import { RecordFile } from './record-file.ts';
import type { RecordSequence } from './record-sequence.ts';

/** All records, read from the journal's segments. The index of a record is its seq less 1. */
export class JournalRecords implements RecordSequence {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #segments: readonly ReadableSegment[];
  /** Where the line after the last slice begins, so that slices that follow one another are not searched for. */
  #next = { seq: 0, offset: 0 };
  readonly length: number;

  constructor(files: FileSystem, directory: string, segments: readonly ReadableSegment[]) {
    this.#files = files;
    this.#directory = directory;
    this.#segments = segments;
    this.length = segments.at(-1)?.lastSeq ?? 0;
  }

  async indexAt(timestamp: Timestamp): Promise<number> {
    const segment = this.#firstSegment((candidate) => candidate.lastTimestamp >= timestamp);
    if (segment === undefined) return this.length;
    const found = await this.#read(segment, (file) =>
      file.find((record) => record.timestamp >= timestamp),
    );
    return (found?.record.seq ?? segment.lastSeq + 1) - 1;
  }

  async indexOfSeq(seq: number): Promise<number> {
    return Math.min(Math.max(seq - 1, 0), this.length);
  }

  async slice(start: number, end: number): Promise<readonly PriceRecord[]> {
    const records: PriceRecord[] = [];
    while (start + records.length < end) {
      const seq = start + records.length + 1;
      const segment = this.#firstSegment((candidate) => candidate.lastSeq >= seq);
      if (segment === undefined) break;
      records.push(...(await this.#readFrom(segment, seq, end)));
    }
    return records;
  }

  /** The record with this seq and its place; undefined when there is none yet. */
  async at(seq: number): Promise<PlacedRecord | undefined> {
    const segment = this.#firstSegment((candidate) => candidate.lastSeq >= seq);
    if (segment === undefined) return undefined;
    const found = await this.#read(segment, (file) => file.find((record) => record.seq >= seq));
    if (found?.record.seq !== seq) throw missingRecord(segment, seq);
    const { record, offset, length } = found;
    return { record, place: { file: segment.file, offset, length } };
  }

  /** The segment's records from `seq` on, up to the one with seq `lastSeq`. */
  async #readFrom(
    segment: ReadableSegment,
    seq: number,
    lastSeq: number,
  ): Promise<readonly PriceRecord[]> {
    const count = Math.min(lastSeq, segment.lastSeq) - seq + 1;
    const records = await this.#read(segment, async (file) => {
      const start = await this.#offsetOf(seq, segment, file);
      if (start === undefined) return [];
      const { records, end } = await file.read(start, count);
      if (records.length === count) this.#next = { seq: seq + count, offset: end };
      return records;
    });
    if (records.length === count && records[0]?.seq === seq) return records;
    throw missingRecord(segment, seq);
  }

  async #offsetOf(
    seq: number,
    segment: ReadableSegment,
    file: RecordFile,
  ): Promise<number | undefined> {
    if (seq === segment.firstSeq) return 0;
    if (seq === this.#next.seq) return this.#next.offset;
    return (await file.find((record) => record.seq >= seq))?.offset;
  }

  async #read<T>(segment: ReadableSegment, use: (file: RecordFile) => Promise<T>): Promise<T> {
    const file = await openSegmentFile(this.#files, this.#directory, segment);
    const damaged: DamagedLine[] = [];
    const onDamage = (line: DamagedLine) => {
      damaged.push(line);
      return readingDamaged(line.problem);
    };
    try {
      return await use(new RecordFile(file, segment.file, segment.bytes, onDamage));
    } catch (error) {
      const [line] = damaged;
      if (line === undefined) throw error;
      throw readingDamaged(describeDamagedLine(line, await seqAt(file, segment, line.offset)));
    } finally {
      await file.close();
    }
  }

  /** The first segment for which `isAtOrAfter` holds; all segments after it must do so too. */
  #firstSegment(isAtOrAfter: (segment: ReadableSegment) => boolean): ReadableSegment | undefined {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const segment = this.#segments[middle];
      if (segment !== undefined && isAtOrAfter(segment)) high = middle;
      else low = middle + 1;
    }
    return this.#segments[low];
  }
}

/** Which record the line at `offset` has to be, by the one before it. */
async function seqAt(
  file: OpenFile,
  { firstSeq, lastSeq }: ReadableSegment,
  offset: number,
): Promise<string> {
  if (offset === 0) return String(firstSeq);
  const before = decodeRecord((await lastLine(file, offset, recordBytesMax)).bytes);
  return before instanceof BadRecord ? `${firstSeq} to ${lastSeq}` : String(before.seq + 1);
}

function missingRecord({ file }: ReadableSegment, seq: number): RepricerError {
  const problem = 'records that the segment is known to hold are not there';
  return readingDamaged(describeDamage({ file, offset: 0, seq, problem }));
}

function readingDamaged(what: string): RepricerError {
  return new RepricerError('JOURNAL_DAMAGED', `the journal cannot be read: ${what}`);
}
