import { createHash } from 'node:crypto';
import type { Beside, PriceFilter } from '../../ledger/price-query.ts';

/*
 * A cursor, 22 bytes in base64url:
 *
 *   1   version of this format
 *   1   side: 0 for the page before the record, 1 for the one after it
 *   8   seq of the record, big-endian
 *   12  the beginning of SHA-256 over the bytes before and the filters of the query
 *
 * The sum tells a cursor that was changed, and one that was made for other filters. It is no secret:
 * whoever makes a cursor himself gets the page next to the record that he names, as anyone may.
 */

const version = 1;
const placeBytes = 10;
const sumBytes = 12;

/** What stands for the page next to a record in a link, as text that needs no escaping. */
export function encodeCursor({ side, seq }: Beside, filter: PriceFilter): string {
  const place = Buffer.alloc(placeBytes);
  place.writeUInt8(version, 0);
  place.writeUInt8(side === 'after' ? 1 : 0, 1);
  place.writeBigUInt64BE(BigInt(seq), 2);
  return Buffer.concat([place, sumOf(place, filter)]).toString('base64url');
}

/** The page that a cursor stands for; undefined for any text that `encodeCursor` does not give for these filters. */
export function decodeCursor(text: string, filter: PriceFilter): Beside | undefined {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length !== placeBytes + sumBytes) return undefined;
  const side = bytes.readUInt8(1) === 1 ? 'after' : 'before';
  const beside: Beside = { side, seq: Number(bytes.readBigUInt64BE(2)) };
  // Encoded again it must be the same text: the decoder passes over what is no base64url.
  return Number.isSafeInteger(beside.seq) && encodeCursor(beside, filter) === text
    ? beside
    : undefined;
}

/** Products in any order are the same filter. How many records a page has is none. */
function sumOf(place: Buffer, { productIds, from, to, order }: PriceFilter): Buffer {
  const filter = JSON.stringify([[...productIds].sort(), from ?? null, to ?? null, order]);
  return createHash('sha256').update(place).update(filter).digest().subarray(0, sumBytes);
}
