import { hasCode } from '../errors.ts';
import type { PriceRecord } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';
import { BackgroundJob } from './background-job.ts';
import { type AggregationLag, Backlog, type ProductTail } from './backlog.ts';
import type { Checkpointer } from './checkpointer.ts';
import { FlushRequests } from './flush-requests.ts';
import type { NewProducts } from './new-products.ts';
import { productFile } from './product-file.ts';
import type { ProductFiles, ProductLines } from './product-files.ts';
import type { StorageEvents } from './storage-events.ts';

export interface AggregatorLimits {
  /** Product files are written at most this often. */
  readonly flushIntervalMs: number;
  /** Records that may wait for their product files in memory. */
  readonly backlogRecordsMax: number;
}

/** The product's lines in the journal below a version and up to a seq. */
export type JournalLines = (
  productId: ProductId,
  versionEnd: number,
  lastSeq: number,
) => AsyncIterable<Buffer>;

/** A product's part of a window. */
interface ProductPart extends ProductLines {
  readonly tail: ProductTail;
}

/**
 * Product files that are put together, and the characters for them after which no other joins. Each time
 * waits for a turn of the thread that serves, which a batch keeps for milliseconds; but what is put together
 * is in memory more than once.
 */
const filesTogetherMax = 256;
const textTogetherMax = 1 << 20;
const closeTriesMax = 3;

/**
 * Carries records from the journal into product files, in windows: each product's file gets one append
 * for all that came for it since the window before. Now and then it has the checkpoint moved, between windows.
 *
 * Everything here is done by one background job, which is tried again when it fails; acknowledged data
 * is safe in the journal meanwhile, and the bound of the backlog holds writers back.
 */
export class Aggregator {
  readonly #productFiles: ProductFiles;
  readonly #journalLines: JournalLines;
  readonly #checkpointer: Checkpointer;
  readonly #flushIntervalMs: number;
  readonly #events: StorageEvents;
  readonly #backlog: Backlog;
  readonly #job: BackgroundJob;
  /** Products whose file was found damaged by a reader and has to be replaced. */
  readonly #damaged = new Set<ProductId>();
  readonly #flushes = new FlushRequests();
  #addedSeq: number;
  #addedProducts: number;
  #windowSeq: number;
  #windowProducts: number;
  #aggregatedSeq: number;

  /** `products`: the product files that there are up to the checkpoint. */
  constructor(
    productFiles: ProductFiles,
    journalLines: JournalLines,
    checkpointer: Checkpointer,
    limits: AggregatorLimits,
    events: StorageEvents,
    products: number,
  ) {
    this.#productFiles = productFiles;
    this.#journalLines = journalLines;
    this.#checkpointer = checkpointer;
    this.#flushIntervalMs = limits.flushIntervalMs;
    this.#events = events;
    this.#backlog = new Backlog(limits.backlogRecordsMax);
    const { seq } = checkpointer;
    this.#addedSeq = seq;
    this.#addedProducts = products;
    this.#windowSeq = seq;
    this.#windowProducts = products;
    this.#aggregatedSeq = seq;
    const work = {
      run: () => this.#work(),
      onDone: () => this.#onDone(),
      onFailure: (error: unknown, retryMs: number) => this.#onFailure(error, retryMs),
    };
    this.#job = new BackgroundJob(work, limits.flushIntervalMs);
  }

  /** Waits until `records` more may be added; false when there is still no room after `waitMs`. */
  hasRoom(records: number, waitMs: number): Promise<boolean> {
    return this.#backlog.hasRoom(records, waitMs);
  }

  /** Takes over records that are durable in the journal. They are readable through `recordsOf` at once. */
  add(records: readonly PriceRecord[], lines: readonly string[]): void {
    records.forEach((record, index) => {
      const line = lines[index] ?? '';
      this.#backlog.add(record, line);
      this.#checkpointer.count(line.length);
      this.#addedSeq = record.seq;
      if (record.version === 1) this.#addedProducts += 1;
    });
    this.#job.wake();
  }

  /** The product's records that are not surely in its file, in order. */
  recordsOf(productId: ProductId): readonly PriceRecord[] {
    return this.#backlog.recordsOf(productId);
  }

  get lag(): AggregationLag {
    return this.#backlog.lag;
  }

  /** The products that may have no file yet. */
  get newProducts(): NewProducts {
    return this.#backlog.newProducts;
  }

  /** Has a product's file replaced by what the journal holds. */
  rebuild(productId: ProductId): void {
    this.#damaged.add(productId);
    this.#job.wake();
  }

  /**
   * Resolves with the checkpoint's seq once all that was added before is in product files, and on disk.
   * The job for it begins within the flush interval; rejects when that fails, which is tried again all the same.
   */
  flush(): Promise<number> {
    const flushed = this.#flushes.add(this.#addedSeq);
    this.#job.wake();
    return flushed;
  }

  /** Finishes everything: all records in product files, synced, and a checkpoint that says so. */
  async close(): Promise<void> {
    await this.abandon();
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#finish();
        return;
      } catch (error) {
        // The first try may find files that the second has to rebuild.
        if (tries === closeTriesMax) {
          this.#flushes.reject(error);
          throw error;
        }
        this.#events.backgroundWorkFailed('aggregation', error, 0);
      }
    }
  }

  /** Lets go without finishing, once the running job has ended; the next start catches up from the journal. */
  async abandon(): Promise<void> {
    await this.#job.stop();
  }

  async #finish(): Promise<void> {
    // A window that an earlier run could not finish goes first; what came since is another.
    do await this.#putRecords();
    while (this.#isUnfinished);
    this.#beginCheckpoint();
    await this.#moveCheckpoint();
  }

  #onDone(): void {
    const hasMore = this.#isUnfinished || !this.#flushes.isEmpty || this.#checkpointer.isMoving;
    if (hasMore) this.#job.wake();
    else if (this.#isBehind) this.#job.wakeIn(Math.max(0, this.#checkpointer.dueInMs));
  }

  #onFailure(error: unknown, retryMs: number): void {
    this.#events.backgroundWorkFailed('aggregation', error, retryMs);
    this.#flushes.reject(error);
  }

  /** Whether product files lack something that is known here. */
  get #isUnfinished(): boolean {
    return !this.#backlog.isEmpty || this.#damaged.size > 0;
  }

  /** Whether there is something that the checkpoint has not passed. */
  get #isBehind(): boolean {
    return this.#checkpointer.seq !== this.#aggregatedSeq;
  }

  async #work(): Promise<void> {
    const startMs = performance.now();
    await this.#putRecords();
    const isWanted = !this.#flushes.isEmpty;
    if (isWanted || (this.#isBehind && this.#checkpointer.isDue)) this.#beginCheckpoint();
    await this.#moveCheckpoint(isWanted ? undefined : this.#timeForSyncs(startMs));
  }

  /**
   * Syncs go on while nothing else is to be done, and otherwise for what is left of an interval that began at
   * `startMs`, or for as long as the records before them took: a backlog that is full holds writers back.
   */
  #timeForSyncs(startMs: number): () => boolean {
    const putAtMs = performance.now();
    const endMs = Math.max(startMs + this.#flushIntervalMs, putAtMs + (putAtMs - startMs));
    return () => !this.#isUnfinished || performance.now() < endMs;
  }

  async #putRecords(): Promise<void> {
    await this.#replaceBadFiles();
    await this.#putWindow();
  }

  async #replaceBadFiles(): Promise<void> {
    for (const productId of [...this.#damaged, ...this.#productFiles.suspects]) {
      const versionEnd = this.#backlog.recordsOf(productId)[0]?.version ?? Number.POSITIVE_INFINITY;
      const lines = this.#journalLines(productId, versionEnd, this.#addedSeq);
      await this.#productFiles.replace(productId, lines);
      this.#damaged.delete(productId);
      this.#events.derivedFileRebuilt(
        productFile(productId),
        'product-damaged',
        'it was damaged or could not be synced',
      );
    }
  }

  async #putWindow(): Promise<void> {
    if (this.#windowSeq === this.#aggregatedSeq) {
      this.#windowSeq = this.#addedSeq;
      this.#windowProducts = this.#addedProducts;
    }
    // Not a copy: what is finished leaves the window, and memory with it, while the rest is written.
    const window = this.#backlog.takeWindow();
    const failures: unknown[] = [];
    for (const group of groupsOf(window)) failures.push(...(await this.#put(group)));
    if (failures.length > 0) throw failures[0];
    this.#aggregatedSeq = this.#windowSeq;
    this.#events.aggregated(this.#aggregatedSeq);
  }

  /** Tries all of them, and gives why the first of those failed that did, if any: there may be very many. */
  async #put(group: readonly ProductPart[]): Promise<readonly unknown[]> {
    const fresh = group.filter(({ tail }) => !tail.mayBeThere);
    const others = group.filter(({ tail }) => tail.mayBeThere);
    for (const { tail } of fresh) tail.mayBeThere = true;
    const failures = new Map([
      ...(await this.#productFiles.appendAll(fresh)),
      ...(await this.#productFiles.settleAll(others)),
    ]);
    for (const { productId } of group) {
      if (!failures.has(productId)) this.#backlog.finish(productId);
      if (hasCode(failures.get(productId), 'PRODUCT_FILE_DAMAGED')) this.#damaged.add(productId);
    }
    return [...failures.values()].slice(0, 1);
  }

  #beginCheckpoint(): void {
    this.#checkpointer.begin({ seq: this.#aggregatedSeq, products: this.#windowProducts });
  }

  async #moveCheckpoint(mayGoOn?: () => boolean): Promise<void> {
    await this.#checkpointer.goOn(mayGoOn);
    this.#flushes.resolve(this.#checkpointer.seq);
  }
}

/** The parts of a window, in groups to be put together, each made when it is asked for. */
function* groupsOf(window: ReadonlyMap<ProductId, ProductTail>): Generator<readonly ProductPart[]> {
  let group: ProductPart[] = [];
  let textLength = 0;
  for (const [productId, tail] of window) {
    const lines = tail.lines.join('');
    group.push({ productId, firstVersion: tail.records[0]?.version ?? 1, lines, tail });
    textLength += lines.length;
    if (group.length < filesTogetherMax && textLength < textTogetherMax) continue;
    yield group;
    group = [];
    textLength = 0;
  }
  if (group.length > 0) yield group;
}
