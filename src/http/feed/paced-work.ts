/** How long a slice of work may hold up the event loop, in ms. */
const sliceMs = 2;

/**
 * While others are busy, work rests for so many times as long as it ran. What a slice writes to sockets
 * costs more after it than in it: with 9 rests, a tenth of the time, a thousand subscribers cost writers
 * a sixth, and with these nothing that could be told from noise.
 */
const restsPerSlice = 24;

/** The longest rest. A slice that earns a longer one was held up itself, by the system or the garbage collector. */
const restMsMax = 100;

export interface Work {
  /** Works on until nothing is left (false) or `isOver` holds and there may be more (true). */
  readonly slice: (isOver: () => boolean) => boolean;
  /** Whether others need the event loop, so that the work must rest. */
  readonly mustRest: () => boolean;
}

/**
 * Work on the event loop that is done in short slices, from a call of `wake` until nothing is left.
 *
 * Invariant: a slice begins after every call of `wake`.
 * Invariant: while `mustRest` holds, the work takes at most about a twenty-fifth of the event loop's time.
 */
export class PacedWork {
  readonly #work: Work;
  #isScheduled = false;
  #isWanted = false;
  #restsUntilMs = 0;

  constructor(work: Work) {
    this.#work = work;
  }

  wake(): void {
    this.#isWanted = true;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const restMs = this.#restsUntilMs - performance.now();
    if (restMs > 0) setTimeout(() => this.#run(), restMs);
    else setImmediate(() => this.#run());
  }

  #run(): void {
    this.#isWanted = false;
    const startedMs = performance.now();
    if (this.#work.slice(() => performance.now() - startedMs >= sliceMs)) this.#isWanted = true;
    // What the slice set off, such as writes to sockets, has run by then and belongs to it.
    process.nextTick(() => this.#rest(startedMs));
  }

  #rest(startedMs: number): void {
    const nowMs = performance.now();
    const earnedMs = this.#work.mustRest() ? (nowMs - startedMs) * restsPerSlice : 0;
    this.#restsUntilMs = nowMs + Math.min(earnedMs, restMsMax);
    this.#isScheduled = false;
    if (this.#isWanted) this.wake();
  }
}
