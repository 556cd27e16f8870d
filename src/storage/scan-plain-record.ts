import { isPlainByte } from '../model/is-plain-byte.ts';
import type { RecordFields } from './match-record.ts';

const seqStart = Buffer.from('{"seq":');
const batchStart = Buffer.from(',"batch":');
const productStart = Buffer.from(',"productId":"');
const versionStart = Buffer.from(',"version":');
const previousStart = Buffer.from(',"previousPrice":');
const priceStart = Buffer.from(',"newPrice":');
const timeStart = Buffer.from(',"timestamp":"');
const sizeStart = Buffer.from(',"batchSize":');

const quote = 0x22;
const comma = 0x2c;
const zero = 0x30;
const nine = 0x39;
const digitsMax = 15;

/**
 * Reads a record's line, up to its checksum at `end`, where it has what nearly all of them have: an id in
 * printable ASCII without quotes and backslashes, and no texts that a client may give. Undefined for every
 * other line, good or bad: that is for the slower pattern of the whole format.
 *
 * No rule of the values is looked at. The texts are copies, so that a record does not keep its block of lines.
 */
export function scanPlainRecord(line: Buffer, end: number): RecordFields | undefined {
  const scan = new Scan(line, end);
  const fields = {
    seq: scan.integer(seqStart),
    batch: scan.integer(batchStart),
    productId: scan.text(productStart),
    version: scan.integer(versionStart),
    previousPrice: scan.token(previousStart),
    newPrice: scan.token(priceStart),
    timestamp: scan.text(timeStart),
  };
  if (scan.isAtEnd) return fields;
  const batchSize = scan.integer(sizeStart);
  return scan.isAtEnd ? { ...fields, batchSize } : undefined;
}

/** Reads one field after the other; once something is not as expected it never comes to the end. */
class Scan {
  readonly #line: Buffer;
  readonly #end: number;
  #at = 0;

  constructor(line: Buffer, end: number) {
    this.#line = line;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#end;
  }

  /** Digits. */
  integer(start: Buffer): number {
    const from = this.#skip(start);
    let at = from;
    let value = 0;
    for (let byte = this.#line[at] ?? 0; byte >= zero && byte <= nine; byte = this.#line[at] ?? 0) {
      value = value * 10 + byte - zero;
      at += 1;
    }
    this.#at = at > from && at <= from + digitsMax ? at : Number.NaN;
    return value;
  }

  /** What stands before the next comma. */
  token(start: Buffer): string {
    const from = this.#skip(start);
    let at = from;
    while (at < this.#end && this.#line[at] !== comma) at += 1;
    return this.#take(from, at);
  }

  /** What stands in quotes. */
  text(start: Buffer): string {
    const from = this.#skip(start);
    let at = from;
    while (isPlainByte(this.#line[at] ?? 0)) at += 1;
    const text = this.#take(from, at);
    this.#at = this.#line[at] === quote ? at + 1 : Number.NaN;
    return text;
  }

  /** Where it goes on behind `expected`; NaN where that does not stand here. */
  #skip(expected: Buffer): number {
    for (let index = 0; index < expected.length; index += 1) {
      if (this.#line[this.#at + index] !== expected[index]) return Number.NaN;
    }
    return this.#at + expected.length;
  }

  #take(from: number, to: number): string {
    this.#at = to;
    return to > from ? this.#line.toString('latin1', from, to) : '';
  }
}
