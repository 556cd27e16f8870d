import { RepricerError } from '../errors.ts';
import type { PriceRecord, PriceUpdate } from '../model/price-record.ts';
import { dateOf, nextMidnight, type Timestamp, toTimestamp } from '../model/timestamp.ts';
import type { CommittedState } from './read-committed.ts';
import type { Receipt } from './receipt.ts';
import type { Rehearsal } from './rehearsal.ts';
import type { Draft, Head, Reprice, RepriceGroup, UnrecordedResult } from './reprice.ts';
import { isAmount, requireTerms } from './require-terms.ts';

/** What a batch makes of a reprice: one of its records, something without a new record, or a refusal. */
export type Placing =
  /** The index among the batch's records. */
  | { readonly kind: 'placed'; readonly index: number; readonly isReplayed: boolean }
  /** It was recorded before. */
  | { readonly kind: 'known'; readonly receipt: Receipt }
  | UnrecordedResult
  | { readonly kind: 'refused'; readonly error: unknown };

/**
 * The records of one batch in the making. Reprices are placed in order, each on top of those before it,
 * starting from what is committed; nothing outside is changed.
 */
export class Batch {
  readonly #committed: CommittedState;
  #heads = new Map<string, Head>();
  #drafts: Draft[] = [];
  /** The drafts that have an idempotency key, by it. */
  #indices = new Map<string, number>();

  constructor(committed: CommittedState) {
    this.#committed = committed;
  }

  place({ reprices, isAtomic, rehearsal }: RepriceGroup): readonly Placing[] {
    const isDry = reprices.some(({ terms }) => terms.isDryRun === true);
    if (!isAtomic && !isDry) return reprices.map((reprice) => this.#tryToPlace(reprice));
    const before = [this.#heads, this.#drafts, this.#indices] as const;
    this.#heads = new Map(this.#heads);
    this.#drafts = [...this.#drafts];
    this.#indices = new Map(this.#indices);
    if (rehearsal !== undefined) this.#goOnFrom(rehearsal, reprices);
    const placings = reprices.map((reprice) => this.#tryToPlace(reprice));
    const drafts = this.#drafts;
    const isRefused = isAtomic && placings.some(({ kind }) => kind === 'refused');
    if (isRefused || isDry) [this.#heads, this.#drafts, this.#indices] = before;
    if (isRefused) return placings.map((one) => (one.kind === 'refused' ? one : dependent()));
    if (!isDry) return placings;
    for (const placing of placings) {
      const draft = isNew(placing) ? drafts[placing.index] : undefined;
      if (draft !== undefined) rehearsal?.add(draft);
    }
    return placings.map((one) => toDryRun(one, drafts));
  }

  #goOnFrom(rehearsal: Rehearsal, reprices: readonly Reprice[]): void {
    for (const reprice of reprices) {
      const { productId, idempotencyKey: key } = reprice.update;
      const head = rehearsal.headOf(reprice);
      if (head !== undefined) this.#heads.set(productId, head);
      const draft = rehearsal.draftOf(reprice);
      if (key !== undefined && draft !== undefined) {
        this.#indices.set(key, this.#drafts.push(draft) - 1);
      }
    }
  }

  /** The records from `firstSeq` on, one microsecond apart; `now` or later, and after `last`. */
  toRecords(firstSeq: number, now: Timestamp, last: Timestamp | undefined): readonly PriceRecord[] {
    const size = this.#drafts.length;
    const start = firstTimestamp(size, now, last);
    return this.#drafts.map((draft, index) => ({
      ...draft,
      seq: firstSeq + index,
      batch: firstSeq,
      timestamp: toTimestamp(start + index),
      ...(index === 0 && size > 1 && { batchSize: size }),
    }));
  }

  #tryToPlace(reprice: Reprice): Placing {
    try {
      return this.#replay(reprice.update) ?? this.#place(reprice);
    } catch (error) {
      return { kind: 'refused', error };
    }
  }

  /** What was recorded under the same key; undefined when there is no key or nothing was. */
  #replay(update: PriceUpdate): Placing | undefined {
    const { idempotencyKey: key } = update;
    if (key === undefined) return undefined;
    const receipt = this.#committed.receipts.get(key);
    const index = this.#indices.get(key);
    const first = receipt?.record ?? (index === undefined ? undefined : this.#drafts[index]);
    if (first === undefined) return undefined;
    requireSame(first, update);
    if (receipt !== undefined) return { kind: 'known', receipt };
    return index === undefined ? undefined : { kind: 'placed', index, isReplayed: true };
  }

  /** Throws when it cannot be; then nothing has changed. */
  #place({ update, terms }: Reprice): Placing {
    const { productId, newPrice, idempotencyKey } = update;
    const head = this.#heads.get(productId) ?? this.#committed.headOf(productId);
    requireTerms(terms, head);
    if (terms.onlyIfChanged === true && isAmount(head.price, newPrice)) {
      return { kind: 'unchanged', head };
    }
    const draft = { ...update, version: head.version + 1, previousPrice: head.price };
    const index = this.#drafts.push(draft) - 1;
    this.#heads.set(productId, { version: draft.version, price: newPrice });
    if (idempotencyKey !== undefined) this.#indices.set(idempotencyKey, index);
    return { kind: 'placed', index, isReplayed: false };
  }
}

function isNew(placing: Placing): placing is Placing & { readonly kind: 'placed' } {
  return placing.kind === 'placed' && !placing.isReplayed;
}

/** A dry run sees what its client's before it would record, and nobody else ever does. */
function toDryRun(placing: Placing, drafts: readonly Draft[]): Placing {
  if (placing.kind !== 'placed') return placing;
  const { index, isReplayed } = placing;
  const draft = drafts[index];
  return draft === undefined ? placing : { kind: 'dry run', draft, isReplayed };
}

/** All records of a batch stand in one segment, so they are all of one date: if need be, of the next. */
function firstTimestamp(size: number, now: Timestamp, last: Timestamp | undefined): Timestamp {
  const start = last !== undefined && last >= now ? toTimestamp(last + 1) : now;
  const end = toTimestamp(start + Math.max(0, size - 1));
  return dateOf(start) === dateOf(end) ? start : nextMidnight(start);
}

/** A key stands for one update; what its terms were is of no concern once it was recorded. */
function requireSame(first: PriceUpdate, update: PriceUpdate): void {
  const fields = ['productId', 'newPrice', 'currency', 'source', 'reason'] as const;
  const other = fields.find((field) => first[field] !== update[field]);
  if (other === undefined) return;
  const name = other === 'newPrice' ? 'price' : other;
  throw new RepricerError(
    'IDEMPOTENCY_KEY_REUSED',
    `the idempotency key stands for a request with another ${name}; nothing was recorded`,
  );
}

function dependent(): Placing {
  return { kind: 'refused', error: failedDependency() };
}

/** For the good lines of an atomic batch of which another was refused. */
export function failedDependency(): RepricerError {
  const why = 'another line of the same atomic batch was refused; nothing was recorded';
  return new RepricerError('FAILED_DEPENDENCY', why);
}
