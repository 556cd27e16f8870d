import { pause } from './pause.ts';
import { RepricerProblem } from './repricer-problem.ts';
import { RepricerUnreachable } from './repricer-unreachable.ts';

export interface RetryLimits {
  /** How often a request is sent in all, when it fails each time. */
  readonly attemptsMax: number;
  /** How long all attempts and the waits between them may take, in ms. */
  readonly totalMs: number;
  /** How long one attempt may take, in ms. */
  readonly attemptMs: number;
  /** The longest wait before the second attempt, in ms; it doubles with each further one. */
  readonly backoffMs: number;
  /** What it doubles up to. */
  readonly backoffMsMax: number;
}

/** A restart of the service takes seconds, so a minute outlasts it. */
export const defaultRetryLimits: RetryLimits = {
  attemptsMax: 12,
  totalMs: 60_000,
  attemptMs: 15_000,
  backoffMs: 100,
  backoffMsMax: 5000,
};

/** The waits between the attempts of one request: longer from time to time, and spread by chance. */
export class Retries {
  readonly #limits: RetryLimits;
  #failures = 0;
  #startedMs = performance.now();

  constructor(limits: RetryLimits) {
    this.#limits = limits;
  }

  /** How long the next attempt may take. */
  get attemptMs(): number {
    return Math.min(this.#limits.attemptMs, this.#leftMs);
  }

  /**
   * Waits after a failure until the next attempt is due: as long as the service asked for, and a part
   * of the backoff by chance, so that many clients do not come back together. Throws the error when it
   * will not pass or no attempt is left, and the signal's reason when that is aborted.
   */
  async waitAfter(error: unknown, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (!mayPass(error)) throw error;
    this.#failures += 1;
    const { attemptsMax, backoffMs, backoffMsMax } = this.#limits;
    const askedMs = error instanceof RepricerProblem ? (error.retryAfterMs ?? 0) : 0;
    const spreadMs = Math.min(backoffMsMax, backoffMs * 2 ** (this.#failures - 1));
    const waitMs = askedMs + Math.random() * spreadMs;
    if (this.#failures >= attemptsMax || waitMs >= this.#leftMs) throw error;
    await pause(waitMs, signal);
    // A pause takes longer when the process is busy.
    if (this.#leftMs <= 0) throw error;
  }

  /** Something came of the last attempt, so the next failure is a first one. */
  startAnew(): void {
    this.#failures = 0;
    this.#startedMs = performance.now();
  }

  get #leftMs(): number {
    return this.#startedMs + this.#limits.totalMs - performance.now();
  }
}

/** 502 and 504 come from a gateway that met a broken connection. */
const passingStatuses: ReadonlySet<number> = new Set([408, 429, 502, 503, 504, 507]);

/** Whether the same request, sent again, may well be answered otherwise. */
export function mayPass(error: unknown): boolean {
  if (error instanceof RepricerUnreachable) return true;
  if (!(error instanceof RepricerProblem)) return false;
  return passingStatuses.has(error.status) || error.type === '/problems/idempotency-key-in-use';
}
