import { codeOf, type ErrorCode } from '../../errors.ts';
import type { RepriceResult } from '../../ledger/reprice.ts';
import type { Outcome } from '../../ledger/write-queue.ts';

/** Counts what became of the reprices of a request. */
export class RepriceTally {
  readonly #refused = new Map<ErrorCode, number>();
  #accepted = 0;

  /** Those that made a record, and not those that were recorded before or only tried. */
  get accepted(): number {
    return this.#accepted;
  }

  get refused(): ReadonlyMap<ErrorCode, number> {
    return this.#refused;
  }

  add(outcome: Outcome<RepriceResult>): void {
    if ('error' in outcome) this.refuse(outcome.error, 1);
    else if (outcome.result.kind === 'recorded' && !outcome.result.isReplayed) this.#accepted += 1;
  }

  /** `error` is what became of so many. */
  refuse(error: unknown, reprices: number): void {
    const code = codeOf(error);
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + reprices);
  }
}
