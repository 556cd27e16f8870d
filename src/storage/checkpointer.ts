import type { FileSystem } from '../files/file-system.ts';
import { type Aggregated, writeCheckpoint } from './checkpoint.ts';
import type { ProductFiles } from './product-files.ts';
import type { StorageEvents } from './storage-events.ts';

export interface CheckpointLimits {
  /** Syncing product files, to move the checkpoint, begins at most this late … */
  readonly checkpointIntervalMs: number;
  /** … or after this many bytes of records. */
  readonly checkpointBytesMax: number;
}

/**
 * Moves the checkpoint: syncs the product files, and then writes down up to where they are complete. With
 * very many files that takes seconds, so it can be done in parts, between which more is put into them.
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
  /** Where it is being moved to. */
  #target: Aggregated | undefined;
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

  /** Whether a move was begun that has not come to its end. */
  get isMoving(): boolean {
    return this.#target !== undefined;
  }

  /** When it is to be moved if no more is added, from now; not above 0 when that is over. */
  get dueInMs(): number {
    if (this.#bytesSince >= this.#limits.checkpointBytesMax) return 0;
    return this.#movedAtMs + this.#limits.checkpointIntervalMs - performance.now();
  }

  /** Whether a move is to be begun, when there is something to move it past. */
  get isDue(): boolean {
    return !this.isMoving && this.dueInMs <= 0;
  }

  /** Takes notice of records that were added behind it. */
  count(bytes: number): void {
    this.#bytesSince += bytes;
  }

  /** Begins to move it there; a move that was begun before comes to its end there too. */
  begin(target: Aggregated): void {
    this.#target = target;
    this.#bytesSince = 0;
    this.#productFiles.beginSync();
  }

  /** Goes on with the move that was begun, to its end or until `mayGoOn` says no. */
  async goOn(mayGoOn?: () => boolean): Promise<void> {
    const target = this.#target;
    if (target === undefined) return;
    if (!(await this.#productFiles.sync(mayGoOn))) return;
    await writeCheckpoint(this.#files, this.#directory, target);
    this.#target = undefined;
    this.#seq = target.seq;
    this.#movedAtMs = performance.now();
    this.#events.checkpointed(target.seq);
  }
}
