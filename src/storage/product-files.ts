import assert from 'node:assert';
import { dirname, join } from 'node:path';
import { RepricerError } from '../errors.ts';
import { ensureDirectory, makeDirectories } from '../files/directories.ts';
import { type FileSystem, isMissing, type OpenFile } from '../files/file-system.ts';
import { type Line, readLines, wholeLinesEnd } from '../files/lines.ts';
import type { AppendOutcome } from '../files/many-files.ts';
import { replaceFile } from '../files/replace-file.ts';
import { writeFully } from '../files/write.ts';
import type { PriceRecord } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';
import { inParallel } from './in-parallel.ts';
import { productFile } from './product-file.ts';
import { ProductSyncs } from './product-syncs.ts';
import { BadRecord, decodeLine, recordBytesMax } from './record.ts';
import { RecordFile, withFile } from './record-file.ts';

/** Files being written to at once: two of the thread pool's four, so that the journal's own sync finds one free. */
const writersInParallel = 2;

/** What is known of a product file that is being read. */
export interface ProductFileState {
  /** Whether bytes follow its last newline, as during an append. */
  readonly hasUnfinishedLine: boolean;
  readonly modifiedAtNs: bigint;
  /** Whether this process has made it anew. */
  readonly isReplaced: boolean;
}

/** Lines to add at the end of a product's file, of which the first has version `firstVersion`. */
export interface ProductLines {
  readonly productId: ProductId;
  readonly firstVersion: number;
  readonly lines: string;
}

/** The products whose file could not be written, and why. */
export type ProductFailures = ReadonlyMap<ProductId, unknown>;

/**
 * The product files: for each product all of its records, the same lines as in the journal.
 *
 * Invariant: once `sync()` gives true, everything that was put into product files before `beginSync()` is on disk.
 *
 * They can be rebuilt from the journal at any time, so nothing here is needed for durability. One
 * writer at a time for each file; readers may read meanwhile.
 *
 * When a sync fails, what the file holds is unknown until it is made anew: the product is named in
 * `suspects` until `replace()` has done so.
 */
export class ProductFiles {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #syncs: ProductSyncs;
  readonly #replaced = new Set<ProductId>();

  constructor(files: FileSystem, directory: string) {
    this.#files = files;
    this.#directory = directory;
    this.#syncs = new ProductSyncs(files, (productId) => this.#pathOf(productId));
  }

  /** Products whose file could not be synced and has to be replaced. */
  get suspects(): ReadonlySet<ProductId> {
    return this.#syncs.suspects;
  }

  /**
   * Adds lines to the files of different products, and tells of those that failed; `settleAll` the same
   * lines of these instead. `PRODUCT_FILE_DAMAGED` when the file vanished, or one is there for a new product.
   */
  async appendAll(all: readonly ProductLines[]): Promise<ProductFailures> {
    const { manyFiles } = this.#files;
    if (manyFiles === undefined) return tryAll(all, (lines) => this.#append(lines));
    if (all.length === 0) return new Map();
    const appends = all.map(({ productId, firstVersion, lines }) => {
      const append = { path: this.#pathOf(productId), text: lines, isNew: firstVersion === 1 };
      if (append.isNew) this.#syncs.mayBeFirst(append.path);
      return append;
    });
    try {
      const outcomes = await manyFiles.appendAll(appends);
      const failures = new Map<ProductId, unknown>();
      all.forEach(({ productId, firstVersion }, index) => {
        const outcome = outcomes[index];
        if (outcome === 'done') this.#syncs.wrote(productId);
        else failures.set(productId, toFailure(outcome, productId, firstVersion));
      });
      return failures;
    } catch (error) {
      return new Map(all.map(({ productId }) => [productId, error]));
    }
  }

  async #append({ productId, firstVersion, lines }: ProductLines): Promise<void> {
    const file = await this.#openOrCreate(productId);
    try {
      const { bytes } = await file.stat();
      if ((bytes === 0) !== (firstVersion === 1)) throw missingVersion(productId, firstVersion - 1);
      await writeFully(file, Buffer.from(lines), bytes);
    } finally {
      await file.close();
    }
    this.#syncs.wrote(productId);
  }

  /** Settles the lines of different products, and tells of those that failed. */
  settleAll(all: readonly ProductLines[]): Promise<ProductFailures> {
    return tryAll(all, (lines) => this.settle(lines));
  }

  /**
   * Makes a product's file end with these lines, of which the first has version `firstVersion`,
   * whatever part of them an interrupted append left there: what follows the version before is cut
   * off and written again. Lines that look right are written again too, as they may be pages that a
   * failed sync never wrote. `PRODUCT_FILE_DAMAGED` when the version before is not there.
   */
  async settle({ productId, firstVersion, lines }: ProductLines): Promise<void> {
    const bytes = Buffer.from(lines);
    const file = await this.#openOrCreate(productId);
    try {
      const size = (await file.stat()).bytes;
      const start = await endOfVersion(file, size, productId, firstVersion - 1, bytes.length);
      if (start === undefined) throw missingVersion(productId, firstVersion - 1);
      await file.truncate(start);
      await writeFully(file, bytes, start);
    } finally {
      await file.close();
    }
    // Whoever made the file may have ended before its name was durable.
    this.#syncs.mayBeNew(this.#pathOf(productId));
    this.#syncs.wrote(productId);
  }

  /** Puts a file with this content in the place of the product's file; it is on disk when this resolves. */
  async replace(productId: ProductId, content: AsyncIterable<Buffer>): Promise<void> {
    const path = this.#pathOf(productId);
    await makeDirectories(this.#files, dirname(path));
    await replaceFile(this.#files, path, content);
    this.#syncs.replaced(productId);
    this.#replaced.add(productId);
  }

  /** From now on `sync()` is about what was appended and settled until now. */
  beginSync(): void {
    this.#syncs.begin();
  }

  /**
   * Puts that on disk, or a part of it where `mayGoOn` says no on the way: then it gives false, and goes on when it is
   * called again. Between two calls files may be written to. After an error it tries all others, and then throws.
   */
  sync(mayGoOn?: () => boolean): Promise<boolean> {
    return this.#syncs.goOn(mayGoOn);
  }

  /**
   * Reads from a product's file: `use` gets it up to its last newline, as an append may be under way.
   * Undefined when the product has none. `onDamage` makes the error that the reader gets for a bad line.
   */
  async read<T>(
    productId: ProductId,
    onDamage: () => Error,
    use: (file: RecordFile, state: ProductFileState) => Promise<T>,
  ): Promise<T | undefined> {
    const name = productFile(productId);
    try {
      return await withFile(this.#files, this.#directory, name, async (file) => {
        const { bytes, modifiedAtNs } = await file.stat();
        const end = await wholeLinesEnd(file, bytes, recordBytesMax);
        if (end === undefined) throw onDamage();
        const state = {
          hasUnfinishedLine: end < bytes,
          modifiedAtNs,
          isReplaced: this.#replaced.has(productId),
        };
        return use(new RecordFile(file, name, end, onDamage), state);
      });
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async #openOrCreate(productId: ProductId): Promise<OpenFile> {
    const path = this.#pathOf(productId);
    try {
      return await this.#files.open(path, 'write');
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    this.#syncs.mayBeFirst(path);
    await ensureDirectory(this.#files, dirname(path));
    return this.#files.create(path);
  }

  #pathOf(productId: ProductId): string {
    return join(this.#directory, productFile(productId));
  }
}

async function tryAll(
  all: readonly ProductLines[],
  work: (lines: ProductLines, index: number) => Promise<void>,
): Promise<ProductFailures> {
  const failures = new Map<ProductId, unknown>();
  await inParallel(all.entries(), writersInParallel, async ([index, lines]) => {
    await work(lines, index).catch((error: unknown) => failures.set(lines.productId, error));
  });
  return failures;
}

/** The error for a product file that breaks the format; its cause is known to whoever rebuilds it. */
export function productFileDamaged(productId: ProductId, problem: string): RepricerError {
  return new RepricerError(
    'PRODUCT_FILE_DAMAGED',
    `${productFile(productId)}: ${problem}; it is being rebuilt from the journal`,
  );
}

/** Why an append was not done: a file that is not as it must be is as good as none. */
function toFailure(
  outcome: AppendOutcome | undefined,
  productId: ProductId,
  firstVersion: number,
): Error {
  const isFileBad = outcome === 'unfit' || isMissing(outcome);
  if (isFileBad) return missingVersion(productId, firstVersion - 1);
  assert(outcome instanceof Error, 'what was not done failed');
  return outcome;
}

function missingVersion(productId: ProductId, version: number): RepricerError {
  return productFileDamaged(productId, `version ${version} is not where it should be`);
}

/**
 * Where the line of a product's version ends in its file; 0 for version 0, undefined when it is not
 * there. `expectedAfter` says how many bytes should follow it, so that only the end of a file is read.
 */
async function endOfVersion(
  file: OpenFile,
  size: number,
  productId: ProductId,
  version: number,
  expectedAfter: number,
): Promise<number | undefined> {
  if (version === 0) return 0;
  const isIt = (record: PriceRecord) =>
    record.productId === productId && record.version === version;
  const near = Math.max(0, size - expectedAfter - 2 * recordBytesMax);
  const found = await lineEndOf(file, near, size, isIt);
  return found ?? (near === 0 ? undefined : lineEndOf(file, 0, size, isIt));
}

async function lineEndOf(
  file: OpenFile,
  from: number,
  size: number,
  isIt: (record: PriceRecord) => boolean,
): Promise<number | undefined> {
  for await (const lines of readLines(file, from, size, recordBytesMax)) {
    const line = lines.find((candidate) => isRecord(candidate, isIt));
    if (line !== undefined) return line.offset + line.bytes.length + 1;
  }
  return undefined;
}

function isRecord(line: Line, isIt: (record: PriceRecord) => boolean): boolean {
  const record = decodeLine(line);
  return !(record instanceof BadRecord) && isIt(record);
}
