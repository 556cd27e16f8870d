import { crc32 } from 'node:zlib';

/** Where a listing of the products with a prefix goes on. */
export interface ProductPlace {
  readonly prefix: string;
  readonly after: string;
}

/**
 * A cursor that is one text to the client: base64url of `<version>.<check>.<place>`. The check is over
 * the prefix too, so that a cursor which was cut, changed or taken to another listing is refused and
 * never skips a product. It is no secret: whoever makes one up gets to a place and nothing else.
 */
export function encodeProductCursor({ prefix, after }: ProductPlace): string {
  return Buffer.from(`${version}.${checkOf(prefix, after)}.${after}`).toString('base64url');
}

/** The place that the cursor leads to; undefined when `encodeProductCursor` did not make it for this prefix. */
export function decodeProductCursor(cursor: string, prefix: string): string | undefined {
  const after = form.exec(Buffer.from(cursor, 'base64url').toString())?.[1];
  // base64url is decoded leniently; only what would be made again is taken.
  const isOurs = after !== undefined && encodeProductCursor({ prefix, after }) === cursor;
  return isOurs ? after : undefined;
}

/** Changes whenever the order of the listing or the form of a place does. */
const version = 1;

const form = /^\d+\.[0-9a-f]{8}\.(.+)$/s;

function checkOf(prefix: string, after: string): string {
  return crc32(JSON.stringify([version, prefix, after]))
    .toString(16)
    .padStart(8, '0');
}
