import { createHash } from 'node:crypto';
import type { FileSystem, OpenFile } from '../files/file-system.ts';
import { type Line, readLines } from '../files/lines.ts';
import type { PriceRecord } from '../model/price-record.ts';
import type { Timestamp } from '../model/timestamp.ts';
import { BadRecord, decodeLine, recordBytesMax } from './record.ts';
import { withFile } from './record-file.ts';

/** Where a segment has to go on from: what the one before it ended with. */
export interface SegmentStart {
  /** The seq that its first record must have. */
  readonly firstSeq: number;
  /** The timestamp of the record before; undefined for the first record of all. */
  readonly after: Timestamp | undefined;
}

/** What a walk over a segment's lines found. */
export interface SegmentScan {
  /**
   * Rows, those with an idempotency key, bytes, last seq and timestamps of its whole batches, from the
   * start up to the first fault.
   */
  readonly rows: number;
  readonly keyedRows: number;
  readonly bytes: number;
  readonly lastSeq: number;
  readonly firstTimestamp: Timestamp | undefined;
  readonly lastTimestamp: Timestamp | undefined;
  /** Of all of the file's bytes, in hex. */
  readonly sha256: string;
  /** The first line that is not what must follow; undefined when every line is good. */
  readonly fault: SegmentFault | undefined;
  /**
   * A good record past `bytes` that no torn tail has: one of another batch than the last one, or the one
   * that is missing at the fault.
   */
  readonly otherBatch: { readonly offset: number; readonly seq: number } | undefined;
}

export interface SegmentFault {
  readonly offset: number;
  /** The seq that the line should have. */
  readonly seq: number;
  readonly problem: string;
}

/**
 * Walks over the first `size` bytes of a segment and checks every line: checksum, form, seq and batch
 * dense, timestamps increasing. It changes nothing and does not judge: a last batch that is not whole
 * is a torn tail in an open segment and damage in a sealed one. `onRecord` is given every good record
 * up to the first fault, in order, with its line.
 */
async function scanSegment(
  file: OpenFile,
  size: number,
  start: SegmentStart,
  onRecord?: (record: PriceRecord, line: Line) => void,
): Promise<SegmentScan> {
  return scanLines(readLines(file, 0, size, recordBytesMax), start, onRecord);
}

/** The same for lines, wherever they come from. */
export async function scanLines(
  blocks: AsyncIterable<readonly Line[]>,
  start: SegmentStart,
  onRecord: (record: PriceRecord, line: Line) => void = () => {},
): Promise<SegmentScan> {
  const walk = new SegmentWalk(start, onRecord);
  const hash = createHash('sha256');
  let size = 0;
  for await (const lines of blocks) {
    for (const line of lines) {
      hash.update(line.bytes);
      if (line.isWhole) hash.update('\n');
      walk.take(line);
      size = line.offset + line.bytes.length + Number(line.isWhole);
    }
  }
  return walk.finish(size, hash.digest('hex'));
}

/** The same for a segment by its path within the data directory, with the file's size. */
export function scanSegmentFile(
  files: FileSystem,
  directory: string,
  file: string,
  start: SegmentStart,
  onRecord?: (record: PriceRecord, line: Line) => void,
): Promise<SegmentScan & { readonly size: number }> {
  return withFile(files, directory, file, async (handle) => {
    const { bytes: size } = await handle.stat();
    return { ...(await scanSegment(handle, size, start, onRecord)), size };
  });
}

class SegmentWalk {
  readonly #firstSeq: number;
  readonly #onRecord: (record: PriceRecord, line: Line) => void;
  #nextSeq: number;
  #timestamp: Timestamp | undefined;
  /** The batch that is being walked over: its first seq, and the seq it ends with. */
  #batch: number;
  #batchEnd: number;
  #whole: {
    bytes: number;
    lastSeq: number;
    lastTimestamp: Timestamp | undefined;
    keyedRows: number;
  };
  #keyedRows = 0;
  #firstTimestamp: Timestamp | undefined;
  #fault: SegmentFault | undefined;
  #otherBatch: { offset: number; seq: number } | undefined;

  constructor(start: SegmentStart, onRecord: (record: PriceRecord, line: Line) => void) {
    this.#firstSeq = start.firstSeq;
    this.#onRecord = onRecord;
    this.#nextSeq = start.firstSeq;
    this.#timestamp = start.after;
    this.#batch = start.firstSeq;
    this.#batchEnd = start.firstSeq - 1;
    const lastSeq = start.firstSeq - 1;
    this.#whole = { bytes: 0, lastSeq, lastTimestamp: undefined, keyedRows: 0 };
  }

  take(line: Line): void {
    const record = decodeLine(line);
    if (this.#fault !== undefined) {
      this.#lookForOtherBatch(record, line);
      return;
    }
    const problem = record instanceof BadRecord ? record.problem : this.#problemOf(record);
    if (problem !== undefined) {
      this.#fault = { offset: line.offset, seq: this.#nextSeq, problem };
      this.#lookForOtherBatch(record, line);
      return;
    }
    if (!(record instanceof BadRecord)) this.#accept(record, line);
  }

  finish(size: number, sha256: string): SegmentScan {
    const { bytes, lastSeq, lastTimestamp, keyedRows } = this.#whole;
    return {
      rows: lastSeq - this.#firstSeq + 1,
      keyedRows,
      bytes,
      lastSeq,
      firstTimestamp: lastTimestamp === undefined ? undefined : this.#firstTimestamp,
      lastTimestamp,
      sha256,
      fault: this.#fault ?? this.#missingEnd(size),
      otherBatch: this.#otherBatch,
    };
  }

  /** What the record breaks when it comes next; undefined when it is what must follow. */
  #problemOf(record: PriceRecord): string | undefined {
    if (record.seq !== this.#nextSeq) return `its seq is ${record.seq}`;
    if (this.#timestamp !== undefined && record.timestamp <= this.#timestamp) {
      return 'its timestamp is not after the one before';
    }
    const batch = record.seq > this.#batchEnd ? record.seq : this.#batch;
    if (record.batch !== batch) return `its batch is ${record.batch}, not ${batch}`;
    return undefined;
  }

  #accept(record: PriceRecord, line: Line): void {
    if (record.seq === record.batch) {
      this.#batch = record.batch;
      this.#batchEnd = record.seq + (record.batchSize ?? 1) - 1;
    }
    this.#firstTimestamp ??= record.timestamp;
    this.#timestamp = record.timestamp;
    this.#nextSeq = record.seq + 1;
    if (record.idempotencyKey !== undefined) this.#keyedRows += 1;
    if (record.seq === this.#batchEnd) {
      const bytes = line.offset + line.bytes.length + 1;
      const { seq: lastSeq, timestamp: lastTimestamp } = record;
      this.#whole = { bytes, lastSeq, lastTimestamp, keyedRows: this.#keyedRows };
    }
    this.#onRecord(record, line);
  }

  /**
   * A batch is written only when the one before is on disk. So a good record of any batch but the one
   * that follows the whole ones shows that the unreadable one was once whole. And an interrupted write
   * leaves bytes where they belong or not at all, so it never puts a record behind its place.
   */
  #lookForOtherBatch(record: PriceRecord | BadRecord, line: Line): void {
    if (record instanceof BadRecord) return;
    const isOfLastBatch = record.batch === this.#whole.lastSeq + 1;
    if (isOfLastBatch && record.seq !== this.#fault?.seq) return;
    this.#otherBatch ??= { offset: line.offset, seq: record.seq };
  }

  #missingEnd(size: number): SegmentFault | undefined {
    if (this.#nextSeq > this.#batchEnd) return undefined;
    const problem = `the batch ends with seq ${this.#batchEnd}, the file before it`;
    return { offset: size, seq: this.#nextSeq, problem };
  }
}
