/** Seqs from `first` to `last`, both included. */
export interface SeqRange {
  readonly first: number;
  readonly last: number;
}

/** A set of seqs that are added in ascending order, in memory that grows with its gaps and not with its seqs. */
export class SeqRanges {
  readonly #ranges: { first: number; last: number }[] = [];

  get ranges(): readonly SeqRange[] {
    return this.#ranges;
  }

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  /** How many seqs it has. */
  get count(): number {
    return this.#ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  }

  /** Adds the seqs from `first` to `last`; none when `last` is before `first`. */
  add(first: number, last: number): void {
    if (last < first) return;
    const end = this.#ranges.at(-1);
    if (end?.last === first - 1) end.last = last;
    else this.#ranges.push({ first, last });
  }

  has(seq: number): boolean {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ranges[middle]?.last ?? seq) < seq) low = middle + 1;
      else high = middle;
    }
    const range = this.#ranges[low];
    return range !== undefined && range.first <= seq;
  }
}

export function describeRange({ first, last }: SeqRange): string {
  return first === last ? `seq ${first}` : `seq ${first} to ${last}`;
}
