/** How long a slice of work may hold up the event loop, in ms. */
const sliceMs = 2;

/** While others are busy, work rests for so many times as long as it ran: it takes a tenth of the time. */
const restsPerSlice = 9;

export interface Work {
  /** Works on until nothing is left (false) or `isOver` holds and there may be more (true). */
  readonly slice: (isOver: () => boolean) => boolean;
  /** Whether others need the event loop, so that the work must rest. */
  readonly mustRest: () => boolean;
}

/**
 * Work on the event loop that is done in short slices, from a call of `wake` until nothing is left.
 *
 * Invariant: while `mustRest` holds, the work takes at most about a tenth of the event loop's time.
 */
export class PacedWork {
  readonly #work: Work;
  #isAwake = false;
  #restsUntilMs = 0;

  constructor(work: Work) {
    this.#work = work;
  }

  wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    const restMs = this.#restsUntilMs - performance.now();
    if (restMs > 0) setTimeout(() => this.#run(), restMs);
    else setImmediate(() => this.#run());
  }

  #run(): void {
    const startedMs = performance.now();
    const hasMore = this.#work.slice(() => performance.now() - startedMs >= sliceMs);
    // What the slice set off, such as writes to sockets, has run by then and belongs to it.
    process.nextTick(() => this.#rest(startedMs, hasMore));
  }

  #rest(startedMs: number, hasMore: boolean): void {
    const nowMs = performance.now();
    const restMs = this.#work.mustRest() ? (nowMs - startedMs) * restsPerSlice : 0;
    this.#restsUntilMs = nowMs + restMs;
    this.#isAwake = false;
    if (hasMore) this.wake();
  }
}
