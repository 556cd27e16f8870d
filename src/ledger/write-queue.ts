import assert from 'node:assert';
import PQueue from 'p-queue';
import { RepricerError } from '../errors.ts';

/** What became of one item of a batch. */
export type Outcome<Result> = { readonly result: Result } | { readonly error: unknown };

/** Commits a batch and gives an outcome for each item, in order. A rejection is the outcome of all. */
export type Commit<Item, Result> = (items: readonly Item[]) => Promise<readonly Outcome<Result>[]>;

interface Waiting<Item, Result> {
  readonly item: Item;
  /** When it began to wait. */
  readonly sinceMs: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export interface WriteQueueLimits<Item> {
  /** How many items may wait or be committed at a time. */
  readonly itemsMax: number;
  /** The most that one batch weighs; an item that weighs more goes alone. */
  readonly batchWeightMax: number;
  weightOf(item: Item): number;
}

/**
 * The bounded queue in front of the commit lane, which commits one batch at a time.
 *
 * Invariant: at most `itemsMax` items wait or are being committed; one more is refused at once. Beside
 * them are only those of callers that bound themselves.
 * Invariant: items are committed in the order in which they were added.
 *
 * Group commit: items that arrive while a batch is being committed wait, and go down together in the
 * next one. There is no timer, so a batch is as large as the disk is slow.
 */
export class WriteQueue<Item, Result> {
  readonly #limits: WriteQueueLimits<Item>;
  readonly #commit: Commit<Item, Result>;
  readonly #onTaken: (waitedSeconds: number) => void;
  readonly #lane = createLane();
  readonly #waiting: Waiting<Item, Result>[] = [];
  #isCommitQueued = false;
  #length = 0;

  /** `onTaken` is told how long each item waited until its batch began to be committed. */
  constructor(
    limits: WriteQueueLimits<Item>,
    commit: Commit<Item, Result>,
    onTaken: (waitedSeconds: number) => void = () => {},
  ) {
    this.#limits = limits;
    this.#commit = commit;
    this.#onTaken = onTaken;
  }

  /** Items that wait or are being committed, but for those of `addBeyond`. */
  get length(): number {
    return this.#length;
  }

  /** Resolves with the item's result once its batch is committed. Rejects with `QUEUE_FULL` at once when there is no room. */
  async add(item: Item): Promise<Result> {
    const { itemsMax } = this.#limits;
    if (this.#length >= itemsMax) throw queueFull(itemsMax);
    this.#length += 1;
    try {
      return await this.addBeyond(item);
    } finally {
      this.#length -= 1;
    }
  }

  /** The same without the bound: for a few callers, each of which waits for one item before it adds the next. */
  addBeyond(item: Item): Promise<Result> {
    const result = new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ item, sinceMs: performance.now(), resolve, reject });
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
    const batch = this.#takeBatch();
    const nowMs = performance.now();
    for (const { sinceMs } of batch) this.#onTaken((nowMs - sinceMs) / 1000);
    if (this.#waiting.length > 0) this.#queueCommit();
    const outcomes = await this.#outcomesOf(batch);
    batch.forEach((waiting, index) => {
      const outcome = outcomes[index];
      assert(outcome !== undefined, 'every item of a batch has an outcome');
      if ('result' in outcome) waiting.resolve(outcome.result);
      else waiting.reject(outcome.error);
    });
  }

  /** What waits, from the first on, as long as it fits. */
  #takeBatch(): readonly Waiting<Item, Result>[] {
    const { batchWeightMax, weightOf } = this.#limits;
    let weight = 0;
    const end = this.#waiting.findIndex(({ item }, index) => {
      weight += weightOf(item);
      return index > 0 && weight > batchWeightMax;
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
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
