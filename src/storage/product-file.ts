import { hash } from 'node:crypto';
import { isProductId, type ProductId } from '../model/product-id.ts';

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
  const digest = hash('sha256', productId);
  const encoded = encodeId(productId);
  const name =
    encoded.length <= nameBytesMax ? encoded : `${encoded.slice(0, prefixBytes)}~${digest}`;
  return `${productsDirectory}/${digest.slice(0, 2)}/${name}${ending}`;
}

/** The id of the product whose file this is; undefined when the path does not tell: see `isShortened`. */
export function productIdOf(path: string): ProductId | undefined {
  const id = decode(nameOf(path));
  return isProductId(id) && productFile(id) === path ? id : undefined;
}

/** Whether the path of a product file has only the beginning of a long id; the whole id stands in its lines. */
export function isShortened(path: string): boolean {
  return shortenedName.test(path);
}

/**
 * Tells from the name of a product file whether its id begins with `prefix`, exactly unless the name is
 * shortened: each character is encoded alone, so the encoded id begins with the encoded prefix.
 */
export function mayBeginWith(prefix: string): (name: string) => boolean {
  const whole = encodeId(prefix);
  const shortened = whole.slice(0, prefixBytes);
  return (name) =>
    name.startsWith(shortened) && (name.startsWith(whole) || shortenedName.test(name));
}

const ending = '.ndjson';
const shortenedName = /~[0-9a-f]{64}\.ndjson$/;

function encodeId(id: string): string {
  return encodeURIComponent(id).replace(/^\./, '%2E').replaceAll('~', '%7E').replaceAll('*', '%2A');
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1, -ending.length);
}

/** Undefined for a name that no encoding made, as of a file that someone else has put there. */
function decode(name: string): string | undefined {
  try {
    return decodeURIComponent(name);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
