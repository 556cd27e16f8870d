import type { PriceRecord } from '../model/price-record.ts';
import type { Timestamp } from '../model/timestamp.ts';

export interface IdempotencyLimits {
  /** Keys that are known at a time; past it the oldest are forgotten. */
  readonly idempotencyKeysMax: number;
  /** How long a key is known. */
  readonly idempotencyWindowMs: number;
}

type CommittedRecord = Pick<PriceRecord, 'idempotencyKey' | 'seq' | 'timestamp'>;

/** A record that was made under a key. */
interface KeyedRecord {
  readonly key: string;
  readonly seq: number;
  readonly timestamp: Timestamp;
}

/**
 * The idempotency keys of committed records, for a time and up to a number; the oldest leave first.
 * What a key stands for is read from the journal, so an entry is the key and two numbers: about 180
 * bytes and the key's own characters.
 */
export class IdempotencyKeys {
  readonly #limits: IdempotencyLimits;
  readonly #records = new Map<string, KeyedRecord>();
  /**
   * The same in the order of their seq, from `#oldest` on, and those that another record of the same
   * key replaced. A map would be slow to give its first entry after many that were deleted.
   */
  #order: (KeyedRecord | undefined)[] = [];
  #oldest = 0;
  /** Keys that had to be forgotten before their time was over, those included that a start left out. */
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

  /** Takes notice of a record that was committed, whether it has a key or not; they come in the order of their seq. */
  add({ idempotencyKey: key, seq, timestamp }: CommittedRecord): void {
    if (key === undefined) return;
    const record = { key, seq, timestamp };
    this.#records.set(key, record);
    this.#order.push(record);
    for (let oldest = this.#order[this.#oldest]; oldest !== undefined; oldest = this.#next()) {
      const isReplaced = this.#records.get(oldest.key) !== oldest;
      const isOver = this.#isOver(oldest, timestamp);
      const isTooMany = this.#records.size > this.#limits.idempotencyKeysMax;
      if (!isReplaced && !isOver && !isTooMany) return;
      if (isReplaced) continue;
      this.#records.delete(oldest.key);
      if (!isOver) this.forgottenEarly += 1;
    }
  }

  /** Leaves the oldest behind, and now and then gives back the room of those that were left. */
  #next(): KeyedRecord | undefined {
    this.#order[this.#oldest] = undefined;
    this.#oldest += 1;
    if (this.#oldest > this.#order.length / 2) {
      this.#order = this.#order.slice(this.#oldest);
      this.#oldest = 0;
    }
    return this.#order[this.#oldest];
  }

  #isOver({ timestamp }: KeyedRecord, now: Timestamp): boolean {
    return now - timestamp >= this.#limits.idempotencyWindowMs * 1000;
  }
}
