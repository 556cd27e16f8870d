import { createHash } from 'node:crypto';
import type { FileSystem } from '../files/file-system.ts';
import type { Line } from '../files/lines.ts';
import { BadRecord, decodeLine } from './record.ts';
import { recordFileLines } from './record-file.ts';
import type { NeededSegment } from './repair-plan.ts';
import { SeqRanges } from './seq-ranges.ts';

/** A good line by its seq. */
interface SeqLine {
  readonly seq: number;
  readonly batch: number;
  /** Without its newline. */
  readonly bytes: Buffer;
}

/** The good lines of a segment's file that belong there, by ascending seq; a block of them at a time. */
async function* ownLines(
  files: FileSystem,
  directory: string,
  { source, firstSeq, lastSeq }: NeededSegment,
): AsyncGenerator<readonly SeqLine[]> {
  if (source === undefined) return;
  let nextSeq = firstSeq;
  for await (const lines of recordFileLines(files, directory, source)) {
    const own: SeqLine[] = [];
    for (const line of lines) {
      const record = decodeLine(line);
      if (record instanceof BadRecord) continue;
      if (record.seq < nextSeq || record.seq > lastSeq) continue;
      own.push({ seq: record.seq, batch: record.batch, bytes: line.bytes });
      nextSeq = record.seq + 1;
    }
    yield own;
  }
}

/** What a segment's own good lines are worth. */
export interface OwnLines {
  readonly missing: SeqRanges;
  /** Up to here everything was once on disk, as a batch is written only after the one before it. */
  readonly durableSeq: number;
  readonly sha256: string;
}

export async function inspectOwnLines(
  files: FileSystem,
  directory: string,
  segment: NeededSegment,
): Promise<OwnLines> {
  const missing = new SeqRanges();
  const hash = createHash('sha256');
  let last = segment.firstSeq - 1;
  let durableSeq = last;
  for await (const lines of ownLines(files, directory, segment)) {
    for (const { seq, batch, bytes } of lines) {
      missing.add(last + 1, seq - 1);
      hash.update(bytes).update('\n');
      last = seq;
      durableSeq = batch - 1;
    }
  }
  missing.add(last + 1, segment.lastSeq);
  return { missing, durableSeq, sha256: hash.digest('hex') };
}

/** A segment's own lines with those of `copies` wherever its own are missing, as lines of a file. */
export async function* mergedLines(
  files: FileSystem,
  directory: string,
  segment: NeededSegment,
  missing: SeqRanges,
  copies: ReadonlyMap<number, Buffer>,
): AsyncGenerator<readonly Line[]> {
  const merge = new Merge(segment.firstSeq, copies);
  for await (const lines of ownLines(files, directory, segment)) {
    yield merge.take(lines.filter(({ seq }) => !missing.has(seq)));
  }
  yield merge.finish(segment.lastSeq);
}

class Merge {
  readonly #copies: ReadonlyMap<number, Buffer>;
  #nextSeq: number;
  #offset = 0;
  #lines: Line[] = [];

  constructor(firstSeq: number, copies: ReadonlyMap<number, Buffer>) {
    this.#nextSeq = firstSeq;
    this.#copies = copies;
  }

  take(own: readonly SeqLine[]): readonly Line[] {
    for (const { seq, bytes } of own) {
      this.#addCopies(seq - 1);
      this.#add(bytes);
      this.#nextSeq = seq + 1;
    }
    return this.#taken();
  }

  finish(lastSeq: number): readonly Line[] {
    this.#addCopies(lastSeq);
    return this.#taken();
  }

  /** Up to the first that is missing in both: what would follow it has no place. */
  #addCopies(lastSeq: number): void {
    for (; this.#nextSeq <= lastSeq; this.#nextSeq += 1) {
      const copy = this.#copies.get(this.#nextSeq);
      if (copy === undefined) return;
      this.#add(copy);
    }
  }

  #add(bytes: Buffer): void {
    this.#lines.push({ offset: this.#offset, bytes, isWhole: true });
    this.#offset += bytes.length + 1;
  }

  #taken(): readonly Line[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }
}
