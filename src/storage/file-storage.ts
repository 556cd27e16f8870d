import { hasCode, RepricerError } from '../errors.ts';
import type { FileSystem } from '../files/file-system.ts';
import type { PlacedRecord, PriceRecord, RecordPlace } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';
import type { Timestamp } from '../model/timestamp.ts';
import { Aggregator, type AggregatorLimits } from './aggregator.ts';
import type { AggregationLag } from './backlog.ts';
import { Checkpointer, type CheckpointLimits } from './checkpointer.ts';
import { journalEndsBefore } from './damage.ts';
import { Journal } from './journal.ts';
import { JournalRecords } from './journal-records.ts';
import { type KeyedRecords, readKeyedRecords } from './keyed-records.ts';
import {
  type LedgerStorage,
  maintenanceIntervalMs,
  type ProductScan,
  type ScannedProducts,
} from './ledger-storage.ts';
import type { JournalLimits } from './open-segment.ts';
import { productFile } from './product-file.ts';
import { type ProductFiles, productFileDamaged } from './product-files.ts';
import { linesOfProduct } from './product-lines.ts';
import { ProductRecords } from './product-records.ts';
import { ProductScanner } from './product-scanner.ts';
import { encodeRecords } from './record.ts';
import type { RecordSequence } from './record-sequence.ts';
import type { RecoveredProductFiles } from './recover-product-files.ts';
import { type RecoveredStore, recoverStore } from './recover-store.ts';
import { type Snapshot, snapshotOf } from './snapshot.ts';
import type { StorageEvents } from './storage-events.ts';
import { VolumeGuard } from './volume-guard.ts';

export interface FileStorageOptions extends JournalLimits, AggregatorLimits, CheckpointLimits {
  readonly directory: string;
  /** How long a batch waits for room among the records that are not in product files yet. */
  readonly backlogWaitMs: number;
  /** Writes stop when the volume has less room than this; 0 for no watermark. */
  readonly freeBytesMin: number;
}

/**
 * The storage driver for one directory on one disk: a journal, and product files that follow it.
 *
 * Invariant: when `append()` resolves, the batch is on disk in the journal, and every read sees it.
 */
export class FileStorage implements LedgerStorage {
  readonly #journal: Journal;
  readonly #aggregator: Aggregator;
  readonly #productFiles: ProductFiles;
  readonly #productScanner: ProductScanner;
  readonly #guard: VolumeGuard;
  readonly #files: FileSystem;
  readonly #options: FileStorageOptions;
  readonly #events: StorageEvents;
  readonly #clock: () => Timestamp;
  /** How to tell a product file that someone else has written. */
  readonly #unchanged: RecoveredProductFiles['unchanged'];
  #hasFailed = false;

  private constructor(
    files: FileSystem,
    options: FileStorageOptions,
    events: StorageEvents,
    clock: () => Timestamp,
    recovered: RecoveredStore,
  ) {
    const { directory } = options;
    this.#files = files;
    this.#options = options;
    this.#events = events;
    this.#clock = clock;
    this.#journal = new Journal(files, directory, options, events, recovered.journal);
    this.#productFiles = recovered.productFiles;
    this.#guard = new VolumeGuard(files, directory, options.freeBytesMin, events);
    this.#unchanged = recovered.unchanged;
    const { seq, products } = recovered.checkpoint;
    this.#aggregator = new Aggregator(
      this.#productFiles,
      (productId, versionEnd, lastSeq) =>
        linesOfProduct(files, directory, this.#journal.segments(), productId, versionEnd, lastSeq),
      new Checkpointer(files, directory, this.#productFiles, options, events, seq),
      options,
      events,
      products,
    );
    const { newProducts } = this.#aggregator;
    this.#productScanner = new ProductScanner(files, directory, newProducts, events);
  }

  /**
   * Recovers the directory and opens it for writing. Throws `JOURNAL_DAMAGED` when it must not be
   * served; then nothing was changed. The caller holds the directory's lock until after `close()`.
   */
  static async open(
    files: FileSystem,
    options: FileStorageOptions,
    events: StorageEvents,
    clock: () => Timestamp,
  ): Promise<FileStorage> {
    const recovered = await recoverStore(files, options.directory, events);
    const storage = new FileStorage(files, options, events, clock, recovered);
    await storage.#guard.check();
    return storage;
  }

  get lastSeq(): number {
    return this.#journal.lastSeq;
  }

  get lastTimestamp(): Timestamp | undefined {
    return this.#journal.lastTimestamp;
  }

  /** How far product files are behind what was appended. */
  get aggregationLag(): AggregationLag {
    return this.#aggregator.lag;
  }

  async append(batch: readonly PriceRecord[]): Promise<readonly RecordPlace[]> {
    await this.requireRoom(batch.length);
    const lines = encodeRecords(batch);
    const places = await this.#watch(this.#journal.append(batch, lines));
    this.#aggregator.add(batch, lines);
    return places;
  }

  async requireRoom(records: number): Promise<void> {
    if (!this.#guard.hasRoom) throw noRoom();
    const { backlogRecordsMax, backlogWaitMs } = this.#options;
    if (await this.#aggregator.hasRoom(records, backlogWaitMs)) return;
    throw new RepricerError(
      'BACKLOG_FULL',
      `${backlogRecordsMax} records wait for their product files, which cannot be written fast enough; try again later`,
    );
  }

  async maintain(): Promise<void> {
    if (this.#hasFailed) return;
    try {
      await this.#guard.check();
      await this.#watch(this.#journal.sealIfDue(this.#clock()));
    } catch (error) {
      if (hasCode(error, 'STORAGE_FAILED')) throw error;
      this.#events.backgroundWorkFailed('maintenance', error, maintenanceIntervalMs);
    }
  }

  async lastRecord(productId: ProductId): Promise<PriceRecord | undefined> {
    const inMemory = this.#aggregator.recordsOf(productId).at(-1);
    if (inMemory !== undefined) return inMemory;
    const found = await this.#lastInFile(productId);
    if (found !== 'unfinished') return found;
    // An append was under way while the file was read: then the record is in memory, or by now in the file.
    const since =
      this.#aggregator.recordsOf(productId).at(-1) ?? (await this.#lastInFile(productId));
    if (since === 'unfinished') throw this.#damaged(productId, 'its last line has no newline');
    return since;
  }

  recordAt(seq: number): Promise<PlacedRecord | undefined> {
    return this.#journalRecords().at(seq);
  }

  lastRecordInMemory(productId: ProductId): PriceRecord | undefined {
    return this.#aggregator.recordsOf(productId).at(-1);
  }

  listProducts(scan: ProductScan): Promise<ScannedProducts> {
    return this.#productScanner.scan(scan);
  }

  async productRecords(productId: ProductId): Promise<RecordSequence> {
    let tail = this.#aggregator.recordsOf(productId);
    const last = tail.length === 0 ? await this.lastRecord(productId) : undefined;
    // By now the last record may be one that is still on its way into the file.
    if (tail.length === 0) tail = this.#aggregator.recordsOf(productId);
    const first = tail[0];
    const inFile = first === undefined ? (last?.version ?? 0) : first.version - 1;
    const onDamage = () => this.#damaged(productId, 'a line is damaged or missing');
    return new ProductRecords(this.#productFiles, productId, onDamage, inFile, tail);
  }

  async keyedRecords(since: Timestamp, countMax: number): Promise<KeyedRecords> {
    const { directory } = this.#options;
    const segments = this.#journal.segments();
    const keyed = await readKeyedRecords(this.#files, directory, segments, since, countMax);
    if (keyed.leftOut > 0) this.#events.keysLeftOut(keyed.leftOut, countMax);
    return keyed;
  }

  async allRecords(): Promise<RecordSequence> {
    return this.#journalRecords();
  }

  seal(): Promise<void> {
    return this.#watch(this.#journal.seal());
  }

  flush(): Promise<number> {
    return this.#aggregator.flush();
  }

  snapshot(): Promise<Snapshot> {
    return snapshotOf(this.#files, this.#options.directory, this.#journal.cut());
  }

  async close(): Promise<void> {
    if (this.#hasFailed) return this.#abandon();
    try {
      await this.#finish();
    } catch (error) {
      await this.#abandon();
      throw error;
    }
  }

  #journalRecords(): JournalRecords {
    return new JournalRecords(this.#files, this.#options.directory, this.#journal.segments());
  }

  async #finish(): Promise<void> {
    await this.#journal.seal();
    // The checkpoint comes last: whatever is older than it needs no reading at the next start.
    await this.#aggregator.close();
  }

  async #abandon(): Promise<void> {
    try {
      await this.#journal.abandon();
    } finally {
      await this.#aggregator.abandon();
    }
  }

  /** Takes notice of what a failed call to the journal means for the calls to come. */
  async #watch<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      if (hasCode(error, 'STORAGE_FAILED')) this.#hasFailed = true;
      if (hasCode(error, 'NO_SPACE')) this.#guard.foundFull();
      throw error;
    }
  }

  #lastInFile(productId: ProductId): Promise<PriceRecord | 'unfinished' | undefined> {
    const onDamage = () => this.#damaged(productId, 'its last line is damaged');
    return this.#productFiles.read(productId, onDamage, async (file, state) => {
      if (state.hasUnfinishedLine) return 'unfinished';
      const record = await file.last();
      if (record === undefined || record.productId !== productId) throw onDamage();
      const { lastSeq } = this.#journal;
      // Not for rebuilding, which would take the only copy of what was acknowledged.
      if (record.seq > lastSeq) {
        throw journalEndsBefore({ file: productFile(productId), seq: record.seq }, lastSeq);
      }
      // A file without a record of this run's was last written before it; a later change was not ours.
      const isOfThisRun = record.seq > this.#unchanged.seq || state.isReplaced;
      if (!isOfThisRun && state.modifiedAtNs > this.#unchanged.modifiedAtNs) throw onDamage();
      return record;
    });
  }

  /** Has the file rebuilt, and gives the error for the reader who met the damage. */
  #damaged(productId: ProductId, problem: string): RepricerError {
    this.#aggregator.rebuild(productId);
    return productFileDamaged(productId, problem);
  }
}

function noRoom(): RepricerError {
  return new RepricerError('NO_SPACE', 'the volume has no room for more records');
}
