/**
 * What a client did and what it was told: a line of a client's log.
 *
 * Every write of a campaign has a price of its own within its product, so a record in the journal
 * belongs to exactly one write. Times are nanoseconds of the machine's monotonic clock, which all
 * processes share, as decimal text.
 */
export type Operation = Write | Read;

export interface Write {
  readonly op: 'write';
  readonly productId: string;
  readonly price: string;
  readonly sent: string;
  readonly done: string;
  readonly outcome: WriteOutcome;
}

/**
 * `acknowledged`: a 202 came, with the receipt if the client asked for one. `refused`: an answer came that promises that nothing was recorded.
 * `unknown`: no answer came, or one that promises nothing; then the journal tells.
 */
export type WriteOutcome =
  | {
      readonly kind: 'acknowledged';
      readonly seq: number;
      readonly version: number;
      readonly receipt?: WrittenReceipt;
    }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'unknown' };

/** Of a receipt, what the headers do not say; the price and the time as their text. */
export interface WrittenReceipt {
  readonly previousPrice: string | null;
  readonly timestamp: string;
}

/** A read that was answered: version 0 and price null when the product was not known. */
export interface Read {
  readonly op: 'read';
  readonly productId: string;
  readonly price: string | null;
  readonly version: number;
  readonly sent: string;
  readonly done: string;
}
