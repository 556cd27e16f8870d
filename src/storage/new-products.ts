import { basename, dirname } from 'node:path/posix';
import type { ProductId } from '../model/product-id.ts';
import { productFile } from './product-file.ts';

/**
 * The products whose first record is in the backlog, by the path that their file has or will have: a
 * listing of files alone would miss them. As bounded as the backlog.
 */
export class NewProducts {
  readonly #shards = new Map<string, Map<string, ProductId>>();

  add(productId: ProductId): void {
    const path = productFile(productId);
    const shard = this.#shards.get(dirname(path)) ?? new Map<string, ProductId>();
    this.#shards.set(dirname(path), shard.set(path, productId));
  }

  delete(productId: ProductId): void {
    const path = productFile(productId);
    const shard = this.#shards.get(dirname(path));
    shard?.delete(path);
    if (shard?.size === 0) this.#shards.delete(dirname(path));
  }

  /** The product whose file has this path; undefined when its first record is in the file. */
  at(path: string): ProductId | undefined {
    return this.#shards.get(dirname(path))?.get(path);
  }

  /** The directories that their files are in. */
  shards(): readonly string[] {
    return [...this.#shards.keys()];
  }

  /** The names of their files in a directory. */
  namesIn(shard: string): readonly string[] {
    return [...(this.#shards.get(shard)?.keys() ?? [])].map((path) => basename(path));
  }
}
