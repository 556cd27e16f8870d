import type { FileSystem } from '../files/file-system.ts';
import { writeCheckpoint } from './checkpoint.ts';
import type { ProductFiles } from './product-files.ts';
import type { StorageEvents } from './storage-events.ts';

export interface CheckpointLimits {
  /** Product files are synced and the checkpoint is moved at most this late … */
  readonly checkpointIntervalMs: number;
  /** … or after this many bytes of records. */
  readonly checkpointBytesMax: number;
}

/**
 * Moves the checkpoint: syncs the product files, and then writes down up to where they are complete.
 *
 * Invariant: the checkpoint never passes a record that is not on disk in its product file.
 */
export class Checkpointer {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #productFiles: ProductFiles;
  readonly #limits: CheckpointLimits;
  readonly #events: StorageEvents;
  #seq: number;
  #bytesSince = 0;
  #movedAtMs = performance.now();

  /** `seq`: where the checkpoint is. */
  constructor(
    files: FileSystem,
    directory: string,
    productFiles: ProductFiles,
    limits: CheckpointLimits,
    events: StorageEvents,
    seq: number,
  ) {
    this.#files = files;
    this.#directory = directory;
    this.#productFiles = productFiles;
    this.#limits = limits;
    this.#events = events;
    this.#seq = seq;
  }

  get seq(): number {
    return this.#seq;
  }

  /** When it is to be moved by the clock, from now; below 0 when that is over. */
  get dueInMs(): number {
    return this.#movedAtMs + this.#limits.checkpointIntervalMs - performance.now();
  }

  /** Whether it is to be moved, when there is something to move it past. */
  get isDue(): boolean {
    return this.dueInMs <= 0 || this.#bytesSince >= this.#limits.checkpointBytesMax;
  }

  /** Takes notice of records that were added behind it. */
  count(bytes: number): void {
    this.#bytesSince += bytes;
  }

  /** Up to `seq` all records, of so many products, were put into product files. */
  async move(seq: number, products: number): Promise<void> {
    await this.#productFiles.sync();
    await writeCheckpoint(this.#files, this.#directory, { seq, products });
    this.#seq = seq;
    this.#movedAtMs = performance.now();
    this.#bytesSince = 0;
    this.#events.checkpointed(seq);
  }
}
