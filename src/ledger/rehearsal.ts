import type { Draft, Head, Reprice } from './reprice.ts';

/** What the dry runs of one client would have recorded so far, for the next ones to go on from. */
export class Rehearsal {
  readonly #heads = new Map<string, Head>();
  readonly #keyed = new Map<string, Draft>();

  /** How many entries it holds in memory: products, and idempotency keys. */
  get size(): number {
    return this.#heads.size + this.#keyed.size;
  }

  headOf({ update }: Reprice): Head | undefined {
    return this.#heads.get(update.productId);
  }

  /** What would have been recorded under the same idempotency key. */
  draftOf({ update: { idempotencyKey: key } }: Reprice): Draft | undefined {
    return key === undefined ? undefined : this.#keyed.get(key);
  }

  add(draft: Draft): void {
    const { productId, version, newPrice, idempotencyKey } = draft;
    this.#heads.set(productId, { version, price: newPrice });
    if (idempotencyKey !== undefined) this.#keyed.set(idempotencyKey, draft);
  }
}
