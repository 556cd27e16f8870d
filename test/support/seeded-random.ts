import { createHash, randomInt } from 'node:crypto';
import type { ExecutionContext } from 'ava';

/** Random numbers that a seed gives again: 32 bits of SHA-256 over seed and counter each. */
export class SeededRandom {
  readonly #seed: string;
  #count = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** Seeded from `SEED` or afresh; the seed is printed with the test. */
  static forTest(t: ExecutionContext, salt: number): SeededRandom {
    const seed = process.env['SEED'] ?? String(randomInt(1e9));
    t.log(`SEED=${seed}`);
    return new SeededRandom(`${seed}/${salt}`);
  }

  /** 0 … `end` − 1. */
  integer(end: number): number {
    this.#count += 1;
    const digest = createHash('sha256').update(`${this.#seed}/${this.#count}`).digest();
    return digest.readUInt32BE(0) % end;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)] as T;
  }
}
