import { codeOf, type ErrorCode } from '../errors.ts';
import type { RepriceResult } from './reprice.ts';
import type { Outcome } from './write-queue.ts';

/** What a reprice came to: a kind of `RepriceResult`, `replayed` being recorded before, or why it was refused. */
export type RepriceOutcome = RepriceResult['kind'] | 'replayed' | ErrorCode;

/** Counts what the reprices since the start came to, the lines of batches each for itself. */
export class RepriceOutcomes {
  readonly #counts = new Map<RepriceOutcome, number>();

  get counts(): ReadonlyMap<RepriceOutcome, number> {
    return this.#counts;
  }

  add(outcome: Outcome<RepriceResult>): void {
    if ('error' in outcome) this.addRefused(outcome.error, 1);
    else this.#add(kindOf(outcome.result), 1);
  }

  /** `error` is what became of so many reprices. */
  addRefused(error: unknown, reprices: number): void {
    this.#add(codeOf(error), reprices);
  }

  #add(outcome: RepriceOutcome, reprices: number): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + reprices);
  }
}

function kindOf(result: RepriceResult): RepriceOutcome {
  return result.kind === 'recorded' && result.isReplayed ? 'replayed' : result.kind;
}
