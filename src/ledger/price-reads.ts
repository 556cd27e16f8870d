import { hasCode, isSystemError } from '../errors.ts';
import type { PriceRecord } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';

/** Reads that run at once, for all callers together: one of the pool's four threads stays free for the journal. */
export const readsInParallelMax = 3;

export type ReadRecord = (productId: ProductId) => Promise<PriceRecord | undefined>;

/** What was read: the last record, or undefined for a product without one. What was not read is not in it. */
export type ReadRecords = ReadonlyMap<ProductId, PriceRecord | undefined>;

/**
 * Reads the last records of many products, for as long as each caller wants to wait.
 *
 * Invariant: at most `readsInParallelMax` reads run at once, and none begins that nobody waits for.
 *
 * Callers take turns, so a long list does not keep the next caller waiting to its end. A read that hangs
 * keeps its place until the system lets go of it, and only that; a product whose file cannot be read
 * is left out. Any other failure is the caller's who still waits, or nobody's: the next read of the
 * product meets it again.
 */
export class PriceReads {
  /** Those with reads to begin, the one whose turn is next first. */
  readonly #waiting = new Set<Caller>();
  #running = 0;

  /** What could be read within `waitMs`; without it, when all has been tried. */
  async read(
    productIds: readonly ProductId[],
    readRecord: ReadRecord,
    waitMs?: number,
  ): Promise<ReadRecords> {
    if (productIds.length === 0 || waitMs === 0) return new Map();
    const caller = new Caller(productIds, readRecord);
    const timer = waitMs === undefined ? undefined : setTimeout(() => caller.finish(), waitMs);
    this.#waiting.add(caller);
    this.#begin();
    try {
      await caller.finished;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(caller);
    }
    return new Map(caller.records);
  }

  #begin(): void {
    for (const caller of this.#waiting) {
      if (this.#running === readsInParallelMax) return;
      // A set is walked in the order of insertion, so whoever is put back comes after all others.
      this.#waiting.delete(caller);
      const productId = caller.toRead.pop();
      if (productId === undefined) continue;
      this.#waiting.add(caller);
      void this.#run(caller, productId);
    }
  }

  async #run(caller: Caller, productId: ProductId): Promise<void> {
    this.#running += 1;
    await caller.read(productId);
    this.#running -= 1;
    this.#begin();
  }
}

class Caller {
  readonly records = new Map<ProductId, PriceRecord | undefined>();
  /** The next one last. */
  readonly toRead: ProductId[];
  readonly finished: Promise<void>;
  #finish: () => void = () => {};
  #fail: (error: unknown) => void = () => {};
  readonly #readRecord: ReadRecord;
  #unanswered: number;

  constructor(productIds: readonly ProductId[], readRecord: ReadRecord) {
    this.toRead = productIds.toReversed();
    this.#unanswered = productIds.length;
    this.#readRecord = readRecord;
    this.finished = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
  }

  /** Never throws: what goes wrong is told to whoever awaits `finished`. */
  async read(productId: ProductId): Promise<void> {
    try {
      this.records.set(productId, await this.#readRecord(productId));
    } catch (error) {
      if (!concernsOneProduct(error)) this.#fail(error);
    }
    this.#unanswered -= 1;
    if (this.#unanswered === 0) this.finish();
  }

  finish(): void {
    this.#finish();
  }
}

/**
 * Whether it is the matter of one product: its file is being rebuilt, is past what the journal has, or
 * is not read by the system. The others are told all the same; a read of that product alone says more.
 */
function concernsOneProduct(error: unknown): boolean {
  return (
    hasCode(error, 'PRODUCT_FILE_DAMAGED', 'JOURNAL_DAMAGED', 'STORAGE_BUSY') ||
    isSystemError(error)
  );
}
