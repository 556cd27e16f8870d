import type { PriceRecord } from '../model/price-record.ts';
import type { Timestamp } from '../model/timestamp.ts';
import type { RecordSequence } from '../storage/record-sequence.ts';
import { indexAfter } from './index-after.ts';

/** The records between two seqs and two moments, in one order. */
export interface RecordRange {
  readonly order: 'asc' | 'desc';
  /** First moment, itself included. */
  readonly from?: Timestamp;
  /** Last moment, itself included. */
  readonly to?: Timestamp;
  /** The lowest seq. */
  readonly firstSeq: number;
  /** The highest seq plus 1. */
  readonly endSeq: number;
}

/**
 * The first `countMax` records of a range, in its order, of sequences that share none. Each sequence
 * is searched once for the place where the range begins, so a page costs the same however deep it
 * lies; they are asked one after the other, so that a request never holds more than one file open.
 */
export async function readRange(
  parts: readonly RecordSequence[],
  range: RecordRange,
  countMax: number,
): Promise<readonly PriceRecord[]> {
  const chunk = Math.ceil(countMax / parts.length);
  const strands: Strand[] = [];
  for (const part of parts) strands.push(await Strand.at(part, range, chunk));
  const records: PriceRecord[] = [];
  while (records.length < countMax) {
    for (const strand of strands) await (strand.needsMore ? strand.read() : undefined);
    const next = foremost(strands, range.order);
    if (next?.head === undefined) break;
    records.push(next.head);
    next.drop();
  }
  return records;
}

function foremost(strands: readonly Strand[], order: 'asc' | 'desc'): Strand | undefined {
  let best: Strand | undefined;
  for (const strand of strands) {
    if (strand.head === undefined) continue;
    const isBefore =
      best?.head === undefined || strand.head.seq < best.head.seq === (order === 'asc');
    if (isBefore) best = strand;
  }
  return best;
}

/** One sequence of those that are merged: where reading goes on, and what was read and not taken yet. */
class Strand {
  readonly #records: RecordSequence;
  readonly #range: RecordRange;
  /** Where the records not read yet begin (asc) or end (desc). */
  #index: number;
  /** Doubled with each read, so that one long sequence among many takes few. */
  #chunk: number;
  #read: readonly PriceRecord[] = [];
  #taken = 0;

  private constructor(records: RecordSequence, range: RecordRange, index: number, chunk: number) {
    this.#records = records;
    this.#range = range;
    this.#index = index;
    this.#chunk = chunk;
  }

  static async at(records: RecordSequence, range: RecordRange, chunk: number): Promise<Strand> {
    const index =
      range.order === 'asc' ? await startOf(records, range) : await endOf(records, range);
    return new Strand(records, range, index, chunk);
  }

  get head(): PriceRecord | undefined {
    return this.#read[this.#taken];
  }

  get needsMore(): boolean {
    return this.head === undefined && !this.#isAtEnd;
  }

  get #isAtEnd(): boolean {
    return this.#index === (this.#range.order === 'asc' ? this.#records.length : 0);
  }

  drop(): void {
    this.#taken += 1;
  }

  async read(): Promise<void> {
    const { order } = this.#range;
    const { length } = this.#records;
    const step = order === 'asc' ? this.#chunk : -this.#chunk;
    const next = Math.min(Math.max(this.#index + step, 0), length);
    const read = await this.#records.slice(
      Math.min(this.#index, next),
      Math.max(this.#index, next),
    );
    const inRange = read.filter((record) => isIn(record, this.#range));
    this.#read = order === 'asc' ? inRange : inRange.toReversed();
    this.#taken = 0;
    this.#chunk *= 2;
    // Where one record lies past the end of the range, all that follow do.
    const isPast = inRange.length < read.length;
    this.#index = isPast ? (order === 'asc' ? length : 0) : next;
  }
}

async function startOf(records: RecordSequence, { from, firstSeq }: RecordRange): Promise<number> {
  const bySeq = firstSeq <= 1 ? 0 : await records.indexOfSeq(firstSeq);
  return from === undefined ? bySeq : Math.max(bySeq, await records.indexAt(from));
}

async function endOf(records: RecordSequence, { to, endSeq }: RecordRange): Promise<number> {
  const bySeq = await records.indexOfSeq(endSeq);
  return to === undefined ? bySeq : Math.min(bySeq, await indexAfter(records, to));
}

function isIn(record: PriceRecord, { from, to, firstSeq, endSeq }: RecordRange): boolean {
  const { seq, timestamp } = record;
  if (seq < firstSeq || seq >= endSeq) return false;
  return (from === undefined || timestamp >= from) && (to === undefined || timestamp <= to);
}
