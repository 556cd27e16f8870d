import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Client, Clients } from './client.ts';
import { hashToken } from './token.ts';
import type { TokenEntry } from './token-list.ts';

/**
 * The clients of a token list, found by their tokens.
 *
 * The time that a look-up takes tells nothing about how much of a stored hash was met: places are found
 * by a hash under a key that only this object has, and what is found there is compared in constant time.
 */
export class TokenIndex implements Clients {
  readonly #key = randomBytes(32);
  readonly #places = new Map<string, { readonly hash: Buffer; readonly client: Client }>();

  constructor(entries: readonly TokenEntry[]) {
    for (const { sha256, ...client } of entries) {
      const hash = Buffer.from(sha256, 'hex');
      this.#places.set(this.#placeOf(hash), { hash, client });
    }
  }

  get size(): number {
    return this.#places.size;
  }

  identify(token: string | undefined): Client | undefined {
    if (token === undefined) return undefined;
    const hash = hashToken(token);
    const found = this.#places.get(this.#placeOf(hash));
    return found !== undefined && timingSafeEqual(found.hash, hash) ? found.client : undefined;
  }

  #placeOf(hash: Buffer): string {
    return createHmac('sha256', this.#key).update(hash).digest('base64');
  }
}
