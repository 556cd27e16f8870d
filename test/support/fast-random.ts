/** Random numbers that a seed gives again, some millions a second: mulberry32, by Tommy Ettinger. */
export class FastRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** 0 … `end` − 1. */
  integer(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)] as T;
  }

  /** True once in `times`, on average. */
  isOneIn(times: number): boolean {
    return this.integer(times) === 0;
  }
}
