import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Operation } from './operation.ts';

/** A data directory on disk, or its files by path (`/` between names) with their bytes as latin1 text. */
export type Store =
  | { readonly directory: string }
  | { readonly files: Readonly<Record<string, string>> };

/**
 * What may be expected of the store:
 *
 * - `crashed`: a process ended in it in any way. The journal may end with a torn tail, product files
 *   hold at least what the checkpoint says.
 * - `recovered`: a start has mended it and nothing was written since. No torn tail; every product file
 *   is its projection of the journal, byte for byte.
 * - `stopped`: as `recovered`, and every segment is sealed and listed, the checkpoint is at the end.
 */
export type StoreState = 'crashed' | 'recovered' | 'stopped';

export interface CheckRequest {
  readonly store: Store;
  readonly state: StoreState;
  /** Paths of client logs (NDJSON of `Operation`), all that ever wrote to the store. */
  readonly logs?: readonly string[];
  /** More operations, in place of logs or beside them. */
  readonly operations?: readonly Operation[];
  /** Records up to this seq were there before any client; 0 when absent. */
  readonly filledUpTo?: number;
}

export interface CheckResult {
  /** Records in the journal. */
  readonly records: number;
  /** Operations by outcome, over the whole history. */
  readonly acknowledged: number;
  readonly unknown: number;
  /** I1: acknowledged writes without their record. */
  readonly lost: number;
  /** I5: records of refused writes or of none. */
  readonly phantom: number;
  /** I2, I3, I4, I6, I7, I9: a sentence each, the first hundred. */
  readonly violations: readonly string[];
}

/** The independent checker, in a process of its own. Requests are answered one after the other. */
export class Checker {
  readonly #child: ChildProcess;
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    const module = fileURLToPath(new URL('./checker/checker-process.js', import.meta.url));
    this.#child = fork(module, [], { serialization: 'advanced' });
  }

  /** Throws when the store could not be read at all. */
  check(request: CheckRequest): Promise<CheckResult> {
    const answer = this.#last.then(() => this.#ask(request));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  close(): void {
    this.#child.disconnect();
  }

  async #ask(request: CheckRequest): Promise<CheckResult> {
    const answered = once(this.#child, 'message');
    this.#child.send(request);
    const [{ result, problem }] = (await answered) as [{ result?: CheckResult; problem?: string }];
    if (result === undefined) throw new Error(`the checker failed: ${problem}`);
    return result;
  }
}
