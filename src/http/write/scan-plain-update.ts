import { isPlainByte } from '../../model/is-plain-byte.ts';

/** What a reprice of the plain form says, as it was written. */
export interface PlainUpdate {
  readonly productId: string;
  /** Digits, and perhaps a point and digits behind it. */
  readonly price: string;
}

const idStart = Buffer.from('{"productId":');
const priceStart = Buffer.from('"price":');

const blank = 0x20;
const quote = 0x22;
const comma = 0x2c;
const point = 0x2e;
const brace = 0x7d;

/**
 * Reads a reprice as nearly every program writes one, `{"productId":"p1","price":3.50}`, with a blank
 * behind colons and commas or without, an id in ASCII and nothing else. Undefined for every other text,
 * good or bad: that is for the whole way through `parseJson`, which takes ten times as long.
 *
 * Both texts are copies: what is kept of a large batch must not keep all of it.
 */
export function scanPlainUpdate(bytes: Buffer): PlainUpdate | undefined {
  let at = after(bytes, 0, idStart);
  if (at < 0 || bytes[at] !== quote) return undefined;
  const idFrom = at + 1;
  const idTo = endOfText(bytes, idFrom);
  if (bytes[idTo] !== quote || bytes[idTo + 1] !== comma) return undefined;
  at = after(bytes, skipBlank(bytes, idTo + 2), priceStart);
  if (at < 0) return undefined;
  const priceTo = endOfDigits(bytes, at);
  if (bytes[priceTo] !== brace || priceTo + 1 !== bytes.length) return undefined;
  return {
    productId: bytes.toString('latin1', idFrom, idTo),
    price: bytes.toString('latin1', at, priceTo),
  };
}

/** Where it goes on behind `expected`, which must stand at `at`, and a blank; negative where it does not. */
function after(bytes: Buffer, at: number, expected: Buffer): number {
  for (let index = 0; index < expected.length; index += 1) {
    if (bytes[at + index] !== expected[index]) return -1;
  }
  return skipBlank(bytes, at + expected.length);
}

function skipBlank(bytes: Buffer, at: number): number {
  return bytes[at] === blank ? at + 1 : at;
}

/** The first place that is no printable ASCII character without a meaning of its own in a string. */
function endOfText(bytes: Buffer, from: number): number {
  let at = from;
  for (let byte = bytes[at] ?? 0; isPlainByte(byte); byte = bytes[at] ?? 0) at += 1;
  return at;
}

function endOfDigits(bytes: Buffer, from: number): number {
  let at = from;
  for (let byte = bytes[at] ?? 0; isOfDecimal(byte); byte = bytes[at] ?? 0) at += 1;
  return at;
}

function isOfDecimal(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === point;
}
