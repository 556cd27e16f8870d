import type { PlacedRecord } from '../model/price-record.ts';

/** What an accepted reprice gets back: the record as it was made durable, and where it stands. */
export type Receipt = PlacedRecord;

/** What must hold when the write's turn comes, or it is refused with `PRECONDITION_FAILED`. */
export interface Preconditions {
  /** The product must not have a price yet. */
  readonly mustBeNew: boolean;
}
