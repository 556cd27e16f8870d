/**
 * The checksum of each record's line by seq, to compare two sets of lines with five bytes a record.
 * A checksum stands for its line: it covers every byte of it but its own.
 */
export class LineSums {
  #sums = new Uint32Array(1024);
  #states = new Uint8Array(1024);
  #lastSeq = 0;

  /** Notes the line of the journal with this seq. */
  add(seq: number, sum: number): void {
    this.#growTo(seq);
    this.#sums[seq] = sum;
    this.#states[seq] = known;
    this.#lastSeq = Math.max(this.#lastSeq, seq);
  }

  /** Takes back what was added past a seq: lines of a batch that turned out not to be whole. */
  forgetPast(seq: number): void {
    this.#states.fill(unknown, seq + 1, this.#lastSeq + 1);
    this.#lastSeq = Math.min(this.#lastSeq, seq);
  }

  /** Takes a line out again: what is wrong with it, or undefined when the journal has the same line once. */
  take(seq: number, sum: number): string | undefined {
    const state = seq < this.#states.length ? this.#states[seq] : unknown;
    if (state === taken) return 'the record stands in a product file already';
    if (state !== known) return 'the journal has no such record';
    this.#states[seq] = taken;
    return this.#sums[seq] === sum ? undefined : 'the line differs from the one in the journal';
  }

  /** The seqs of lines that were added and not taken. */
  left(): readonly number[] {
    const seqs: number[] = [];
    for (let seq = 1; seq <= this.#lastSeq; seq += 1) {
      if (this.#states[seq] === known) seqs.push(seq);
    }
    return seqs;
  }

  #growTo(seq: number): void {
    if (seq < this.#sums.length) return;
    const length = Math.max(seq + 1, this.#sums.length * 2);
    const [sums, states] = [new Uint32Array(length), new Uint8Array(length)];
    sums.set(this.#sums);
    states.set(this.#states);
    this.#sums = sums;
    this.#states = states;
  }
}

const unknown = 0;
const known = 1;
const taken = 2;
