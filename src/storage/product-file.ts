import { createHash } from 'node:crypto';
import type { ProductId } from '../model/product-id.ts';

/** The directory of the product files within the data directory. */
export const productsDirectory = 'results_by_product';

/** The longest encoded id that is a file name as it is; file systems take 255 bytes with the ending. */
const nameBytesMax = 200;
const prefixBytes = 150;

/**
 * The path of a product's file within the data directory: `results_by_product/2c/foo.ndjson`.
 *
 * The directory is the first byte of the id's SHA-256, so that no directory grows without bound. The
 * name is the id percent-encoded, which leaves only characters that every file system takes; `.` at
 * the start, `~` and `*` are encoded too. A name past 200 bytes is its first 150, `~` and the hash.
 * Two ids never share a path: below the limit the encoding can be undone, and above it the hash differs.
 */
export function productFile(productId: ProductId): string {
  const hash = createHash('sha256').update(productId).digest('hex');
  const encoded = encodeURIComponent(productId)
    .replace(/^\./, '%2E')
    .replaceAll('~', '%7E')
    .replaceAll('*', '%2A');
  const name =
    encoded.length <= nameBytesMax ? encoded : `${encoded.slice(0, prefixBytes)}~${hash}`;
  return `${productsDirectory}/${hash.slice(0, 2)}/${name}.ndjson`;
}
