import assert from 'node:assert';
import { dirname } from 'node:path';
import { type FileSystem, isMissing } from '../files/file-system.ts';
import { NotStarted, type SyncOutcome } from '../files/many-files.ts';
import { syncFile } from '../files/sync-file.ts';
import type { ProductId } from '../model/product-id.ts';
import { inParallel } from './in-parallel.ts';

/** Files that are synced with one request to a thread: each request waits for a turn of the thread that serves. */
const syncsTogether = 256;

/** Files being synced at once where there is no such thread: two of the thread pool's four, so that the journal's own sync finds one free. */
const syncsInParallel = 2;

/**
 * The product files whose last changes may not be on disk, and the directories whose entries may not.
 *
 * They are synced in rounds, and a round in parts, between which files may be written to: there may be so
 * many that nothing could wait for all of them.
 *
 * When a file's sync fails, nobody knows what it holds until it is made anew: its product is named in
 * `suspects` until `replaced()` says so.
 */
export class ProductSyncs {
  readonly #files: FileSystem;
  readonly #pathOf: (productId: ProductId) => string;
  /** Those that the round has still to sync. */
  #round = new Set<ProductId>();
  /** Those that were written to since it began, and are not in it. */
  #written = new Set<ProductId>();
  readonly #directories = new Set<string>();
  /** Products whose file could not be synced and has to be replaced. */
  readonly suspects = new Set<ProductId>();

  constructor(files: FileSystem, pathOf: (productId: ProductId) => string) {
    this.#files = files;
    this.#pathOf = pathOf;
  }

  /** The product's file was written to. */
  wrote(productId: ProductId): void {
    if (!this.#round.has(productId)) this.#written.add(productId);
  }

  /** A product's file may be new: one sync of a directory serves all that are in it. */
  mayBeNew(path: string): void {
    this.#directories.add(dirname(path));
  }

  /** So may its directory be. */
  mayBeFirst(path: string): void {
    this.mayBeNew(path);
    this.#directories.add(dirname(dirname(path)));
  }

  /** A file that is on disk took the place of the product's. */
  replaced(productId: ProductId): void {
    this.#round.delete(productId);
    this.#written.delete(productId);
    this.suspects.delete(productId);
  }

  /** Begins a round of everything that may not be on disk. What is left of one before is in it. */
  begin(): void {
    for (const productId of this.#round) this.#written.add(productId);
    this.#round = this.#written;
    this.#written = new Set();
  }

  /**
   * Goes on with the round until `mayGoOn`, which is asked between groups of files, says no. Whether all that it
   * has is on disk now. After an error it tries all others, and then throws the first one.
   */
  async goOn(mayGoOn?: () => boolean): Promise<boolean> {
    let failure: Error | undefined;
    for (const group of groupsOf(this.#round)) {
      const outcomes = await this.#sync(group);
      group.forEach((productId, index) => {
        const error = this.#take(productId, outcomes[index]);
        failure ??= error;
      });
      if (failure === undefined && mayGoOn?.() === false) break;
    }
    if (failure !== undefined) throw failure;
    if (this.#round.size > 0) return false;
    for (const directory of this.#directories) {
      await this.#files.syncDirectory(directory);
      this.#directories.delete(directory);
    }
    return true;
  }

  async #sync(productIds: readonly ProductId[]): Promise<readonly SyncOutcome[]> {
    const paths = productIds.map((productId) => this.#pathOf(productId));
    const { manyFiles } = this.#files;
    if (manyFiles === undefined) return this.#syncHere(paths);
    try {
      return await manyFiles.syncAll(paths);
    } catch (error) {
      assert(error instanceof Error);
      if (error instanceof NotStarted) return this.#syncHere(paths);
      return paths.map(() => ({ error, wasOpen: true }));
    }
  }

  async #syncHere(paths: readonly string[]): Promise<readonly SyncOutcome[]> {
    const outcomes: SyncOutcome[] = [];
    await inParallel(paths.entries(), syncsInParallel, async ([index, path]) => {
      outcomes[index] = await syncFile(this.#files, path);
    });
    return outcomes;
  }

  /** Takes notice of what became of a file's sync, and gives the error if it failed. */
  #take(productId: ProductId, outcome: SyncOutcome | undefined): Error | undefined {
    assert(outcome !== undefined, 'every sync has an outcome');
    if (outcome === 'done') {
      this.#round.delete(productId);
      return undefined;
    }
    // A second sync of the same file would report success for pages that are lost.
    if (outcome.wasOpen || isMissing(outcome.error)) {
      this.#round.delete(productId);
      this.suspects.add(productId);
    }
    return outcome.error;
  }
}

/** Each group is made when it is asked for: there may be very many products. */
function* groupsOf(productIds: Iterable<ProductId>): Generator<readonly ProductId[]> {
  let group: ProductId[] = [];
  for (const productId of productIds) {
    group.push(productId);
    if (group.length < syncsTogether) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
