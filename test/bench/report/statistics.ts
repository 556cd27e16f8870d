/** The value below which the given part of all values lies; `sorted` is in ascending order and not empty. */
export function quantile(sorted: ArrayLike<number>, part: number): number {
  const index = Math.min(sorted.length - 1, Math.floor(sorted.length * part));
  return sorted[index] ?? Number.NaN;
}

/** What several rounds have in common and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (quantile(sorted, 0.5) + (sorted[Math.ceil(sorted.length / 2) - 1] ?? NaN)) / 2;
  return { median: middle, min: quantile(sorted, 0), max: quantile(sorted, 1) };
}
