import type { Timestamp } from '../model/timestamp.ts';

export interface IdempotencyLimits {
  /** Keys that are known at a time; past it the oldest are forgotten. */
  readonly idempotencyKeysMax: number;
  /** How long a key is known. */
  readonly idempotencyWindowMs: number;
}

/** A record that was made under a key. */
export interface KeyedRecord {
  readonly key: string;
  readonly seq: number;
  readonly timestamp: Timestamp;
}

/**
 * The idempotency keys of committed records, for a time and up to a number; the oldest leave first.
 * What a key stands for is read from the journal, so an entry is the key and two numbers: about 120
 * bytes and the key's own characters.
 */
export class IdempotencyKeys {
  readonly #limits: IdempotencyLimits;
  /** In the order of their records, as timestamps rise with seq. */
  readonly #records = new Map<string, KeyedRecord>();
  /** Keys that had to be forgotten before their time was over. */
  forgottenEarly = 0;

  constructor(limits: IdempotencyLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#records.size;
  }

  /** The seq of the record that was made under this key; undefined when none is known any more. */
  seqOf(key: string, now: Timestamp): number | undefined {
    const record = this.#records.get(key);
    return record === undefined || this.#isOver(record, now) ? undefined : record.seq;
  }

  /** Records are added in the order of their seq. */
  add(record: KeyedRecord): void {
    // A key that is set again would keep its old place in the order.
    this.#records.delete(record.key);
    this.#records.set(record.key, record);
    for (const oldest of this.#records.values()) {
      const isOver = this.#isOver(oldest, record.timestamp);
      if (!isOver && this.#records.size <= this.#limits.idempotencyKeysMax) return;
      if (!isOver) this.forgottenEarly += 1;
      this.#records.delete(oldest.key);
    }
  }

  #isOver({ timestamp }: KeyedRecord, now: Timestamp): boolean {
    return now - timestamp >= this.#limits.idempotencyWindowMs * 1000;
  }
}
