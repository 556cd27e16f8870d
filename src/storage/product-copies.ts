import type { FileSystem } from '../files/file-system.ts';
import type { Line } from '../files/lines.ts';
import type { PriceRecord } from '../model/price-record.ts';
import { productFile } from './product-file.ts';
import { listProductFiles } from './product-listing.ts';
import { BadRecord, decodeLine } from './record.ts';
import { recordFileLines } from './record-file.ts';
import type { NeededSegment } from './repair-plan.ts';
import type { SeqRange, SeqRanges } from './seq-ranges.ts';

/** Lines of product files, and of segments that they do not belong to, for missing ones of the journal. */
export interface ProductCopies {
  /** By seq, without newlines. */
  readonly lines: ReadonlyMap<number, Buffer>;
  /** The highest seq in any of these files; 0 when there is none. */
  readonly lastSeq: number;
  /** Places in product files where a record is unreadable, the first thousand. */
  readonly unreadable: readonly UnreadableLine[];
}

export interface UnreadableLine {
  /** Path within the data directory. */
  readonly file: string;
  readonly offset: number;
  /** The seqs that the record may have had, by those of its neighbours. */
  readonly between: SeqRange;
}

const unreadableMax = 1000;

/**
 * Reads all product files, one after the other, and keeps the lines with a seq of `wanted`. A line
 * counts when its checksum and form are good, it stands in its own product's file, and it goes on from
 * the line before it there. After them it reads the segments given, which are those that are not as
 * they must be: what stands there under a wrong name may be the only copy.
 */
export async function collectCopies(
  files: FileSystem,
  directory: string,
  wanted: SeqRanges,
  segments: readonly NeededSegment[],
): Promise<ProductCopies> {
  const collection = new Collection(wanted);
  for await (const paths of listProductFiles(files, directory)) {
    for (const file of paths) {
      collection.begin(file);
      for await (const lines of recordFileLines(files, directory, file)) {
        for (const line of lines) collection.take(line);
      }
      collection.end(Number.POSITIVE_INFINITY);
    }
  }
  for (const segment of segments) {
    if (segment.source === undefined) continue;
    for await (const lines of recordFileLines(files, directory, segment.source)) {
      for (const line of lines) collection.takeMisplaced(line, segment);
    }
  }
  return collection;
}

class Collection implements ProductCopies {
  readonly lines = new Map<number, Buffer>();
  readonly unreadable: UnreadableLine[] = [];
  lastSeq = 0;
  readonly #wanted: SeqRanges;
  #file = '';
  #last: PriceRecord | undefined;
  /** Where lines that cannot be read began, after the last one that could be. */
  #badOffset: number | undefined;

  constructor(wanted: SeqRanges) {
    this.#wanted = wanted;
  }

  begin(file: string): void {
    this.#file = file;
    this.#last = undefined;
    this.#badOffset = undefined;
  }

  take(line: Line): void {
    const record = decodeLine(line);
    if (record instanceof BadRecord || !this.#fits(record)) {
      this.#badOffset ??= line.offset;
      return;
    }
    this.end(record.seq);
    this.#last = record;
    this.lastSeq = Math.max(this.lastSeq, record.seq);
    // A copy of its own: a part of the block that was read would keep all of it in memory.
    if (this.#wanted.has(record.seq)) this.lines.set(record.seq, Buffer.from(line.bytes));
  }

  takeMisplaced(line: Line, { firstSeq, lastSeq }: NeededSegment): void {
    const record = decodeLine(line);
    if (record instanceof BadRecord) return;
    const { seq } = record;
    // In its own segment it is one behind its place, if it is wanted.
    const isElsewhere = seq < firstSeq || seq > lastSeq;
    if (isElsewhere) this.lastSeq = Math.max(this.lastSeq, seq);
    if (!this.#wanted.has(seq) || this.lines.has(seq)) return;
    this.lines.set(seq, Buffer.from(line.bytes));
  }

  /** Ends a stretch of unreadable lines before the line with seq `nextSeq`. */
  end(nextSeq: number): void {
    const offset = this.#badOffset;
    this.#badOffset = undefined;
    if (offset === undefined || this.unreadable.length === unreadableMax) return;
    const between = { first: (this.#last?.seq ?? 0) + 1, last: nextSeq - 1 };
    this.unreadable.push({ file: this.#file, offset, between });
  }

  #fits(record: PriceRecord): boolean {
    if (productFile(record.productId) !== this.#file) return false;
    const last = this.#last;
    if (last === undefined) return true;
    if (record.seq <= last.seq || record.version <= last.version) return false;
    return record.version > last.version + 1 || record.previousPrice === last.newPrice;
  }
}
