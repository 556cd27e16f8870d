import type { Price } from '../model/price.ts';
import type { PriceRecord, PriceUpdate } from '../model/price-record.ts';
import type { Receipt } from './receipt.ts';
import type { Rehearsal } from './rehearsal.ts';

/** A price to be set, and on what terms. */
export interface Reprice {
  readonly update: PriceUpdate;
  readonly terms: Terms;
}

/**
 * What must hold when the write's turn comes, and what is done when it does. With nothing given the
 * price is recorded whatever it was before.
 */
export interface Terms {
  /** The product must have no price yet; otherwise `PRECONDITION_FAILED`. */
  readonly mustBeNew?: boolean;
  /** The product must be at one of these versions, or at any; otherwise `PRECONDITION_FAILED`. */
  readonly versions?: readonly number[] | 'any';
  /** The amount that is replaced, null for none; otherwise `PRICE_CONFLICT`. */
  readonly expectedPreviousPrice?: Price | null;
  /** Records nothing when the amount would stay the same. */
  readonly onlyIfChanged?: boolean;
  /** Says what would be recorded, and records nothing. */
  readonly isDryRun?: boolean;
}

/** Reprices that are placed one after the other, with nothing of anybody else's between. */
export interface RepriceGroup {
  readonly reprices: readonly Reprice[];
  /** All of them are recorded, or none. */
  readonly isAtomic: boolean;
  /** Of dry runs: what others before them would have recorded. They add to it. */
  readonly rehearsal?: Rehearsal | undefined;
}

/** A product's last price when a write's turn comes; version 0 when it has none. */
export interface Head {
  readonly version: number;
  readonly price: Price | null;
}

/** A record but for what it gets when it is committed: its seq, batch and timestamp. */
export type Draft = Pick<PriceRecord, 'version' | 'previousPrice'> & PriceUpdate;

/** What became of a reprice that was not refused. */
export type RepriceResult =
  /** `isReplayed`: it was recorded before, under the same idempotency key. */
  | { readonly kind: 'recorded'; readonly receipt: Receipt; readonly isReplayed: boolean }
  | UnrecordedResult;

export type UnrecordedResult =
  /** `onlyIfChanged`: the product has this price already. */
  | { readonly kind: 'unchanged'; readonly head: Head }
  /** `isDryRun`: what would be recorded. `isReplayed`: would have been before, under the same idempotency key. */
  | { readonly kind: 'dry run'; readonly draft: Draft; readonly isReplayed: boolean };
