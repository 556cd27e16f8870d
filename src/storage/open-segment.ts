import { createHash, type Hash } from 'node:crypto';
import type { OpenFile } from '../files/file-system.ts';
import type { PriceRecord } from '../model/price-record.ts';
import { dateOf, type Timestamp } from '../model/timestamp.ts';
import type { SealedSegment } from './manifest.ts';

export interface JournalLimits {
  /** A segment is sealed before a batch would make it longer than this. */
  readonly segmentBytesMax: number;
  /** A segment is sealed when its first record is older than this. */
  readonly segmentAgeMaxMs: number;
}

/** A segment as readers need it: the file, and what is durable in it. */
export interface ReadableSegment {
  readonly file: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly lastTimestamp: Timestamp;
  readonly bytes: number;
  /** How many of its records have an idempotency key; undefined when that was never counted. */
  readonly keyedRows?: number;
}

/** The segment that is being written. Its counts cover what is on disk, and nothing after that. */
export class OpenSegment {
  readonly handle: OpenFile;
  readonly file: string;
  readonly #first: PriceRecord;
  readonly #hash: Hash = createHash('sha256');
  #last: PriceRecord | undefined;
  #keyedRows = 0;
  bytes = 0;
  /** Whether it has lost the suffix of an open segment: sealing has begun. */
  hasFinalName = false;

  constructor(handle: OpenFile, file: string, first: PriceRecord) {
    this.handle = handle;
    this.file = file;
    this.#first = first;
  }

  get isEmpty(): boolean {
    return this.#last === undefined;
  }

  /** The seq of the last durable record; that of the record before the segment's first when there is none. */
  get lastSeq(): number {
    return this.#last?.seq ?? this.#first.seq - 1;
  }

  get lastTimestamp(): Timestamp | undefined {
    return this.#last?.timestamp;
  }

  /** Takes notice of a batch that is on disk. */
  wrote(bytes: Buffer, batch: readonly PriceRecord[]): void {
    this.#hash.update(bytes);
    this.bytes += bytes.length;
    this.#last = batch.at(-1);
    for (const { idempotencyKey } of batch) if (idempotencyKey !== undefined) this.#keyedRows += 1;
  }

  isDue(now: Timestamp, limits: JournalLimits): boolean {
    if (this.hasFinalName) return true;
    const ageMs = (now - this.#first.timestamp) / 1000;
    return ageMs >= limits.segmentAgeMaxMs || dateOf(now) !== dateOf(this.#first.timestamp);
  }

  readable(): ReadableSegment {
    const { firstSeq, lastSeq, lastTimestamp } = this.#range();
    const keyedRows = this.#keyedRows;
    return { file: this.file, firstSeq, lastSeq, lastTimestamp, bytes: this.bytes, keyedRows };
  }

  summary(): SealedSegment {
    const range = this.#range();
    return {
      file: this.file,
      rows: range.lastSeq - range.firstSeq + 1,
      ...range,
      bytes: this.bytes,
      sha256: this.#hash.copy().digest('hex'),
      keyedRows: this.#keyedRows,
    };
  }

  #range() {
    return {
      firstSeq: this.#first.seq,
      lastSeq: this.lastSeq,
      firstTimestamp: this.#first.timestamp,
      lastTimestamp: this.#last?.timestamp ?? this.#first.timestamp,
    };
  }
}
