import { basename, dirname, join } from 'node:path';
import { hasCode, isSystemError, RepricerError } from '../errors.ts';
import { listIfPresent } from '../files/directories.ts';
import { type FileSystem, isMissing, type OpenFile } from '../files/file-system.ts';
import { readLines, wholeLinesEnd } from '../files/lines.ts';
import type { ProductId } from '../model/product-id.ts';
import type { ProductScan, ScannedProducts } from './ledger-storage.ts';
import type { NewProducts } from './new-products.ts';
import { isShortened, mayBeginWith, productFile, productIdOf } from './product-file.ts';
import { listShards } from './product-listing.ts';
import { BadRecord, decodeLine, recordBytesMax } from './record.ts';
import { withFile } from './record-file.ts';
import type { StorageEvents } from './storage-events.ts';

/**
 * Finds products by the names of their files, in the order of their paths. A place is such a path; it
 * is only compared, never opened.
 *
 * The names of one directory are in memory at a time. A file is opened only where the name is a
 * shortened id; when none of its lines tells the rest, it is reported and passed over.
 */
export class ProductScanner {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #newProducts: NewProducts;
  readonly #events: Pick<StorageEvents, 'backgroundWorkFailed'>;

  constructor(
    files: FileSystem,
    directory: string,
    newProducts: NewProducts,
    events: Pick<StorageEvents, 'backgroundWorkFailed'>,
  ) {
    this.#files = files;
    this.#directory = directory;
    this.#newProducts = newProducts;
    this.#events = events;
  }

  async scan(scan: ProductScan): Promise<ScannedProducts> {
    const { paths, next } = await this.#findPaths(scan);
    const productIds: ProductId[] = [];
    for (const path of paths) {
      const productId = isShortened(path) ? await this.#readId(path) : productIdOf(path);
      if (productId?.startsWith(scan.prefix)) productIds.push(productId);
    }
    return { productIds, next };
  }

  /** Paths whose products may begin with the prefix. The products are counted before that is certain. */
  async #findPaths({ prefix, after, productsMax, scannedMax }: ProductScan) {
    const isCandidate = mayBeginWith(prefix);
    const paths: string[] = [];
    let scanned = 0;
    let last = after;
    for await (const { shard, names } of this.#namesAfter(after ?? '')) {
      for (const name of names) {
        if (paths.length === productsMax || scanned === scannedMax) return { paths, next: last };
        scanned += 1;
        last = `${shard}/${name}`;
        if (isCandidate(name)) paths.push(last);
      }
    }
    return { paths, next: undefined };
  }

  /** The names of product files in the order of their paths, a directory of them at a time. */
  async *#namesAfter(after: string): AsyncGenerator<ShardNames> {
    // Memory is asked before the disk: what leaves it in between is in its file by then.
    const shards = new Set(this.#newProducts.shards());
    for (const shard of await listShards(this.#files, this.#directory)) shards.add(shard);
    const [afterShard, afterName] = [dirname(after), basename(after)];
    for (const shard of [...shards].sort()) {
      if (shard < afterShard) continue;
      const inMemory = this.#newProducts.namesIn(shard);
      const onDisk = await listIfPresent(this.#files, join(this.#directory, shard));
      // A directory may have very many names, which are sorted already.
      const all = inMemory.length === 0 ? onDisk : [...new Set([...inMemory, ...onDisk])].sort();
      const start = shard === afterShard ? all.findIndex((name) => name > afterName) : 0;
      if (start !== -1) yield { shard, names: productFileNames(all, start) };
    }
  }

  /** The id of a product whose path is shortened; undefined when its first record is only now being written. */
  async #readId(path: string): Promise<ProductId | undefined> {
    const inMemory = this.#newProducts.at(path);
    if (inMemory !== undefined) return inMemory;
    try {
      return await withFile(this.#files, this.#directory, path, (file) => idIn(file, path));
    } catch (error) {
      if (isMissing(error)) return undefined;
      if (!hasCode(error, 'PRODUCT_FILE_DAMAGED') && !isSystemError(error)) throw error;
      this.#events.backgroundWorkFailed('listing of products', error, undefined);
      return undefined;
    }
  }
}

interface ShardNames {
  readonly shard: string;
  readonly names: Iterable<string>;
}

function* productFileNames(names: readonly string[], start: number): Generator<string> {
  for (let index = start; index < names.length; index += 1) {
    const name = names[index];
    if (name?.endsWith('.ndjson')) yield name;
  }
}

/** The id in the first good line of a file, which is read to its end only when it begins with damage. */
async function idIn(file: OpenFile, path: string): Promise<ProductId | undefined> {
  const { bytes } = await file.stat();
  const end = await wholeLinesEnd(file, bytes, recordBytesMax);
  if (end === 0) return undefined;
  const productId =
    (await firstId(file, path, Math.min(end ?? bytes, recordBytesMax))) ??
    (await firstId(file, path, bytes));
  if (productId === undefined) {
    throw new RepricerError('PRODUCT_FILE_DAMAGED', `${path}: no line of it tells its product`);
  }
  return productId;
}

async function firstId(
  file: OpenFile,
  path: string,
  bytes: number,
): Promise<ProductId | undefined> {
  for await (const lines of readLines(file, 0, bytes, recordBytesMax)) {
    for (const line of lines) {
      const record = decodeLine(line);
      if (record instanceof BadRecord) continue;
      if (productFile(record.productId) === path) return record.productId;
    }
  }
  return undefined;
}
