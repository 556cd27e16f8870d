import { randomBytes } from 'node:crypto';

/** Bytes that are drawn at a time: to ask for few takes as long as to ask for many. */
const drawnBytes = 4096;

/** Random hex digits, for ids and not for secrets: they are drawn in advance. */
export class RandomHex {
  #digits = '';
  #at = 0;

  /** So many digits, at most 8192. */
  take(count: number): string {
    if (this.#at + count > this.#digits.length) {
      this.#digits = randomBytes(drawnBytes).toString('hex');
      this.#at = 0;
    }
    this.#at += count;
    return this.#digits.slice(this.#at - count, this.#at);
  }
}
