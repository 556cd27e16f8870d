import type { PriceRecord } from '../model/price-record.ts';
import type { Timestamp } from '../model/timestamp.ts';
import type { RecordSequence } from '../storage/record-sequence.ts';

/**
 * The records of several sequences that share none, in the order of their seq. Sequences are asked one
 * after the other, so that a request never holds more than one file open.
 */
export class UnionRecords implements RecordSequence {
  readonly #parts: readonly RecordSequence[];
  readonly #lastSeq: number;
  /** How many records of each part are in the union. */
  readonly #lengths: readonly number[];
  readonly length: number;

  private constructor(
    parts: readonly RecordSequence[],
    lastSeq: number,
    lengths: readonly number[],
  ) {
    this.#parts = parts;
    this.#lastSeq = lastSeq;
    this.#lengths = lengths;
    this.length = sum(lengths);
  }

  /** The union of the parts' records with a seq up to `lastSeq`. */
  static async upTo(lastSeq: number, parts: readonly RecordSequence[]): Promise<UnionRecords> {
    const lengths: number[] = [];
    for (const part of parts) lengths.push(await part.indexOfSeq(lastSeq + 1));
    return new UnionRecords(parts, lastSeq, lengths);
  }

  async indexAt(timestamp: Timestamp): Promise<number> {
    return sum(await this.#each((part, index) => this.#capped(part.indexAt(timestamp), index)));
  }

  async indexOfSeq(seq: number): Promise<number> {
    return sum(await this.#each((part, index) => this.#capped(part.indexOfSeq(seq), index)));
  }

  async slice(start: number, end: number): Promise<readonly PriceRecord[]> {
    const starts = await this.#indicesAt(start);
    const ends = await this.#indicesAt(end);
    const slices = await this.#each((part, index) =>
      part.slice(starts[index] ?? 0, ends[index] ?? 0),
    );
    return slices.flat().sort((a, b) => a.seq - b.seq);
  }

  /** For each part how many of its records are among the first `count` of the union. */
  async #indicesAt(count: number): Promise<readonly number[]> {
    if (count === 0) return this.#parts.map(() => 0);
    if (count === this.length) return this.#lengths;
    // The number of records below a seq grows by at most one with it, so some seq gives `count` exactly.
    let low = 1;
    let high = this.#lastSeq + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((await this.indexOfSeq(middle)) >= count) high = middle;
      else low = middle + 1;
    }
    return this.#each((part) => part.indexOfSeq(low));
  }

  async #capped(position: Promise<number>, index: number): Promise<number> {
    return Math.min(await position, this.#lengths[index] ?? 0);
  }

  async #each<T>(ask: (part: RecordSequence, index: number) => Promise<T>): Promise<readonly T[]> {
    const answers: T[] = [];
    for (const [index, part] of this.#parts.entries()) answers.push(await ask(part, index));
    return answers;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
