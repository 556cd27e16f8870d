import { divideHalfEven } from '../model/divide-half-even.ts';
import { formatMicrounits, toMicrounits } from '../model/microunits.ts';
import type { Price } from '../model/price.ts';
import type { Timestamp } from '../model/timestamp.ts';

interface Amount {
  readonly price: Price;
  readonly microunits: bigint;
}

/**
 * The figures of one stretch of time, `from` ≤ time < `to`, over the prices that held in it, each with
 * the digits that were recorded. All are null while no price holds.
 *
 * A price counts when it held for some time, so one that was replaced at the very moment it came does
 * not; one that came in from before does. Prices are compared as decimals, and of equal ones the
 * earlier is kept (`3.5` and `3.50`).
 */
export class PriceBucket {
  readonly from: Timestamp;
  readonly to: Timestamp;
  /** Records with a timestamp in the bucket. */
  changes = 0;
  #open: Price | null = null;
  #close: Price | null = null;
  #high: Amount | undefined;
  #low: Amount | undefined;
  /** Microunits × microseconds. */
  #area = 0n;
  #heldMicros = 0n;

  constructor(from: Timestamp, to: Timestamp) {
    this.from = from;
    this.to = to;
  }

  get open(): Price | null {
    return this.#open;
  }

  get close(): Price | null {
    return this.#close;
  }

  get high(): Price | null {
    return this.#high?.price ?? null;
  }

  get low(): Price | null {
    return this.#low?.price ?? null;
  }

  /**
   * The mean of the prices, each weighted by the time that it held, as decimal text with six fraction
   * digits. It is calculated exactly in microunits × microseconds, and rounded once, half to even.
   * Time before the product's first price has no weight.
   */
  get timeWeightedAverage(): string | null {
    if (this.#heldMicros === 0n) return null;
    return formatMicrounits(divideHalfEven(this.#area, this.#heldMicros));
  }

  /** Takes in that `price` held for the next `micros` microseconds, more than 0. */
  hold(price: Price, micros: number): void {
    const microunits = toMicrounits(price);
    const amount = { price, microunits };
    this.#open ??= price;
    this.#close = price;
    if (this.#high === undefined || microunits > this.#high.microunits) this.#high = amount;
    if (this.#low === undefined || microunits < this.#low.microunits) this.#low = amount;
    this.#area += microunits * BigInt(micros);
    this.#heldMicros += BigInt(micros);
  }
}
