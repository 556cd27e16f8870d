import PQueue from 'p-queue';
import { RepricerError } from '../errors.ts';

/** What became of one item of a batch. */
export type Outcome<Result> = { readonly result: Result } | { readonly error: unknown };

/** Commits a batch and gives an outcome for each item, in order. A rejection is the outcome of all. */
export type Commit<Item, Result> = (items: readonly Item[]) => Promise<readonly Outcome<Result>[]>;

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The bounded queue in front of the commit lane, which commits one batch at a time.
 *
 * Invariant: at most `itemsMax` items wait or are being committed; one more is refused at once.
 * Invariant: items are committed in the order in which they were added.
 *
 * Group commit: items that arrive while a batch is being committed wait, and go down together in the
 * next one. There is no timer, so a batch is as large as the disk is slow.
 */
export class WriteQueue<Item, Result> {
  readonly #itemsMax: number;
  readonly #commit: Commit<Item, Result>;
  readonly #lane = createLane();
  #waiting: Waiting<Item, Result>[] = [];
  #isCommitQueued = false;
  #length = 0;

  constructor(itemsMax: number, commit: Commit<Item, Result>) {
    this.#itemsMax = itemsMax;
    this.#commit = commit;
  }

  /** Items that wait or are being committed. */
  get length(): number {
    return this.#length;
  }

  /** Resolves with the item's result once its batch is committed. Rejects with `QUEUE_FULL` at once when there is no room. */
  add(item: Item): Promise<Result> {
    if (this.#length >= this.#itemsMax) return Promise.reject(queueFull(this.#itemsMax));
    this.#length += 1;
    const result = new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
    });
    this.#queueCommit();
    return result;
  }

  /** Runs `work` in the commit lane, between two batches. */
  async runBetween(work: () => Promise<void>): Promise<void> {
    await this.#lane.add(work);
  }

  /** Resolves when nothing waits and nothing is being committed. */
  drained(): Promise<void> {
    return this.#lane.onIdle();
  }

  #queueCommit(): void {
    if (this.#isCommitQueued) return;
    this.#isCommitQueued = true;
    // commitWaiting handles every error of its own; one from here is a mistake and ends the process.
    void this.#lane.add(() => this.#commitWaiting());
  }

  async #commitWaiting(): Promise<void> {
    this.#isCommitQueued = false;
    const batch = this.#waiting;
    this.#waiting = [];
    const outcomes = await this.#outcomesOf(batch);
    this.#length -= batch.length;
    batch.forEach((waiting, index) => {
      const outcome = outcomes[index];
      if (outcome !== undefined && 'result' in outcome) waiting.resolve(outcome.result);
      else waiting.reject(outcome?.error);
    });
  }

  async #outcomesOf(batch: readonly Waiting<Item, Result>[]): Promise<readonly Outcome<Result>[]> {
    try {
      return await this.#commit(batch.map(({ item }) => item));
    } catch (error) {
      return batch.map(() => ({ error }));
    }
  }
}

function queueFull(itemsMax: number): RepricerError {
  return new RepricerError(
    'QUEUE_FULL',
    `${itemsMax} records are waiting to be written, which is the limit; nothing was recorded, try again later`,
  );
}

/** Every option is given, so that no default of the library decides anything here. */
function createLane(): PQueue {
  return new PQueue({
    concurrency: 1,
    autoStart: true,
    interval: 0,
    carryoverIntervalCount: false,
  });
}
