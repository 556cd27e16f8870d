import Bottleneck from 'bottleneck';
import { hasCode } from '../errors.ts';
import type { PriceRecord } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';
import { Backlog, type ProductTail } from './backlog.ts';
import { inParallel } from './in-parallel.ts';
import type { NewProducts } from './new-products.ts';
import { productFile } from './product-file.ts';
import type { ProductFiles } from './product-files.ts';
import type { StorageEvents } from './storage-events.ts';

export interface AggregatorLimits {
  /** Product files are written at most this often. */
  readonly flushIntervalMs: number;
  /** They are synced and the checkpoint is moved at most this late … */
  readonly checkpointIntervalMs: number;
  /** … or after this many bytes of records. */
  readonly checkpointBytesMax: number;
  /** Records that may wait for their product files in memory. */
  readonly backlogRecordsMax: number;
}

/** What the aggregator needs of the rest of the storage. */
export interface AggregatorSources {
  /** The product's lines in the journal below a version and up to a seq. */
  journalLines(productId: ProductId, versionEnd: number, lastSeq: number): AsyncIterable<Buffer>;
  /** Replaces the checkpoint: records up to `seq`, of so many products. */
  writeCheckpoint(seq: number, products: number): Promise<void>;
}

/** Someone who waits until everything up to `seq` is in product files, and on disk. */
interface Flush {
  readonly seq: number;
  readonly resolve: (checkpointSeq: number) => void;
  readonly reject: (error: unknown) => void;
}

/** Product files being written at once; see `syncsInParallel` for why not more. */
const writersInParallel = 2;
const closeTriesMax = 3;
const retryMsMin = 100;
const retryMsMax = 5000;

/**
 * Carries records from the journal into product files, in windows: each product's file gets one append
 * for all that came for it since the window before. Now and then it syncs them and moves the checkpoint.
 *
 * Invariant: the checkpoint never passes a record that is not on disk in its product file.
 *
 * Everything here is done by one background job at a time. A job that fails is tried again after a
 * pause that doubles up to five seconds; acknowledged data is safe in the journal meanwhile, and the
 * bound of the backlog holds writers back.
 */
export class Aggregator {
  readonly #productFiles: ProductFiles;
  readonly #sources: AggregatorSources;
  readonly #limits: AggregatorLimits;
  readonly #events: StorageEvents;
  readonly #backlog: Backlog;
  readonly #limiter: Bottleneck;
  /** Products whose file was found damaged by a reader and has to be replaced. */
  readonly #damaged = new Set<ProductId>();
  #flushes: readonly Flush[] = [];
  #addedSeq: number;
  #addedProducts: number;
  #windowSeq: number;
  #windowProducts: number;
  #aggregatedSeq: number;
  #checkpointSeq: number;
  #bytesSinceCheckpoint = 0;
  #checkpointedAtMs = performance.now();
  #checkpointTimer: NodeJS.Timeout | undefined;
  #isScheduled = false;
  #isClosing = false;

  /** `seq`: up to here product files, `products` of them, are complete and on disk, and the checkpoint says so. */
  constructor(
    productFiles: ProductFiles,
    sources: AggregatorSources,
    limits: AggregatorLimits,
    events: StorageEvents,
    seq: number,
    products: number,
  ) {
    this.#productFiles = productFiles;
    this.#sources = sources;
    this.#limits = limits;
    this.#events = events;
    this.#backlog = new Backlog(limits.backlogRecordsMax);
    this.#addedSeq = seq;
    this.#addedProducts = products;
    this.#windowSeq = seq;
    this.#windowProducts = products;
    this.#aggregatedSeq = seq;
    this.#checkpointSeq = seq;
    this.#limiter = createLimiter(limits.flushIntervalMs);
    this.#limiter.on('failed', (error: unknown, info) => this.#retryAfter(error, info.retryCount));
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
      this.#bytesSinceCheckpoint += line.length;
      this.#addedSeq = record.seq;
      if (record.version === 1) this.#addedProducts += 1;
    });
    this.#wake();
  }

  /** The product's records that are not surely in its file, in order. */
  recordsOf(productId: ProductId): readonly PriceRecord[] {
    return this.#backlog.recordsOf(productId);
  }

  /** The products that may have no file yet. */
  get newProducts(): NewProducts {
    return this.#backlog.newProducts;
  }

  /** Has a product's file replaced by what the journal holds. */
  rebuild(productId: ProductId): void {
    this.#damaged.add(productId);
    this.#wake();
  }

  /**
   * Resolves with the checkpoint's seq once all that was added before is in product files, and on disk.
   * The job for it begins within the flush interval; rejects when that fails, which is tried again all the same.
   */
  flush(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#flushes = [...this.#flushes, { seq: this.#addedSeq, resolve, reject }];
      this.#wake();
    });
  }

  /** Finishes everything: all records in product files, synced, and a checkpoint that says so. */
  async close(): Promise<void> {
    await this.abandon();
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#work();
        await this.#checkpoint();
        return;
      } catch (error) {
        // The first try may find files that the second has to rebuild.
        if (tries === closeTriesMax) throw error;
        this.#events.backgroundWorkFailed('aggregation', error, 0);
      }
    }
  }

  /** Lets go without finishing, once the running job has ended; the next start catches up from the journal. */
  async abandon(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    clearTimeout(this.#checkpointTimer);
    await this.#limiter.stop({ dropWaitingJobs: true, dropErrorMessage: stopped });
  }

  #wake(): void {
    if (this.#isScheduled || this.#isClosing) return;
    this.#isScheduled = true;
    this.#limiter
      .schedule(() => this.#runJob())
      .catch((error: unknown) => this.#onJobDropped(error));
  }

  async #runJob(): Promise<void> {
    await this.#work();
    this.#isScheduled = false;
    const isMoreAsked = this.#damaged.size > 0 || this.#flushes.length > 0;
    if (!this.#backlog.isEmpty || isMoreAsked) this.#wake();
    else this.#wakeForCheckpoint();
  }

  /** A job ends without success only when the aggregator is closing, which then does the work itself. */
  #onJobDropped(error: unknown): void {
    if (!this.#isClosing) throw error;
  }

  #wakeForCheckpoint(): void {
    clearTimeout(this.#checkpointTimer);
    if (this.#aggregatedSeq === this.#checkpointSeq || this.#isClosing) return;
    const dueMs = this.#checkpointedAtMs + this.#limits.checkpointIntervalMs - performance.now();
    this.#checkpointTimer = setTimeout(() => this.#wake(), Math.max(0, dueMs)).unref();
  }

  async #work(): Promise<void> {
    await this.#replaceBadFiles();
    await this.#flush();
    if (this.#isCheckpointDue()) await this.#checkpoint();
  }

  async #replaceBadFiles(): Promise<void> {
    for (const productId of [...this.#damaged, ...this.#productFiles.suspects]) {
      const versionEnd = this.#backlog.recordsOf(productId)[0]?.version ?? Number.POSITIVE_INFINITY;
      const lines = this.#sources.journalLines(productId, versionEnd, this.#addedSeq);
      await this.#productFiles.replace(productId, lines);
      this.#damaged.delete(productId);
      this.#events.derivedFileRebuilt(
        productFile(productId),
        'product-damaged',
        'it was damaged or could not be synced',
      );
    }
  }

  async #flush(): Promise<void> {
    if (this.#windowSeq === this.#aggregatedSeq) {
      this.#windowSeq = this.#addedSeq;
      this.#windowProducts = this.#addedProducts;
    }
    // Not a copy: what is finished leaves the window, and memory with it, while the rest is written.
    const window = this.#backlog.takeWindow();
    await inParallel(window, writersInParallel, ([productId, tail]) => this.#put(productId, tail));
    this.#aggregatedSeq = this.#windowSeq;
    this.#events.aggregated(this.#aggregatedSeq);
  }

  async #put(productId: ProductId, tail: ProductTail): Promise<void> {
    const text = tail.lines.join('');
    const firstVersion = tail.records[0]?.version ?? 1;
    const mayBeThere = tail.mayBeThere;
    tail.mayBeThere = true;
    try {
      if (mayBeThere) await this.#productFiles.settle(productId, firstVersion, text);
      else await this.#productFiles.append(productId, firstVersion, text);
    } catch (error) {
      if (hasCode(error, 'PRODUCT_FILE_DAMAGED')) this.#damaged.add(productId);
      throw error;
    }
    this.#backlog.finish(productId);
  }

  #isCheckpointDue(): boolean {
    if (this.#flushes.length > 0) return true;
    if (this.#aggregatedSeq === this.#checkpointSeq) return false;
    const ageMs = performance.now() - this.#checkpointedAtMs;
    return (
      ageMs >= this.#limits.checkpointIntervalMs ||
      this.#bytesSinceCheckpoint >= this.#limits.checkpointBytesMax
    );
  }

  async #checkpoint(): Promise<void> {
    const seq = this.#aggregatedSeq;
    await this.#productFiles.sync();
    await this.#sources.writeCheckpoint(seq, this.#windowProducts);
    this.#checkpointSeq = seq;
    this.#checkpointedAtMs = performance.now();
    this.#bytesSinceCheckpoint = 0;
    this.#events.checkpointed(seq);
    for (const { resolve } of this.#takeFlushes(seq)) resolve(seq);
  }

  /** Those who wait for no record past `seq`. */
  #takeFlushes(seq: number): readonly Flush[] {
    const taken = this.#flushes.filter((flush) => flush.seq <= seq);
    this.#flushes = this.#flushes.filter((flush) => flush.seq > seq);
    return taken;
  }

  #retryAfter(error: unknown, retries: number): number | undefined {
    for (const { reject } of this.#takeFlushes(Number.POSITIVE_INFINITY)) reject(error);
    if (this.#isClosing) return undefined;
    const retryMs = Math.min(retryMsMax, retryMsMin * 2 ** retries);
    this.#events.backgroundWorkFailed('aggregation', error, retryMs);
    return retryMs;
  }
}

const stopped = 'the aggregator is closing';

/** Every option is given, so that no default of the library decides anything here. */
function createLimiter(minTimeMs: number): Bottleneck {
  return new Bottleneck({
    maxConcurrent: 1,
    minTime: minTimeMs,
    highWater: null,
    strategy: Bottleneck.strategy.LEAK,
    penalty: null,
    reservoir: null,
    reservoirRefreshInterval: null,
    reservoirRefreshAmount: null,
    reservoirIncreaseInterval: null,
    reservoirIncreaseAmount: null,
    reservoirIncreaseMaximum: null,
    rejectOnDrop: true,
    trackDoneStatus: false,
    datastore: 'local',
  });
}
