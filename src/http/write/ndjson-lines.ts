import { type BodyPart, type BodySplitter, PartBytes } from './body-parts.ts';

const newline = 10;
const onlyBlanks = /^[ \t\r]*$/;
const brace = 0x7b;

/** The lines of NDJSON or JSON Lines. Lines of nothing but blanks count and are no parts. */
export class NdjsonLines implements BodySplitter {
  readonly isBroken = false;
  readonly #line: PartBytes;
  number = 1;

  /** A line longer than `bytesMax` is a part with an error. */
  constructor(bytesMax: number) {
    this.#line = new PartBytes(bytesMax);
  }

  take(chunk: Buffer): readonly BodyPart[] {
    const parts: BodyPart[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      this.#line.add(chunk.subarray(start, end));
      this.#finish(parts);
      start = end + 1;
    }
    this.#line.add(chunk.subarray(start));
    return parts;
  }

  end(): readonly BodyPart[] {
    const parts: BodyPart[] = [];
    this.#finish(parts);
    return parts;
  }

  #finish(parts: BodyPart[]): void {
    const part = this.#line.finish(this.number);
    this.number += 1;
    const mayBeBlank = 'bytes' in part && part.bytes[0] !== brace;
    const isBlank = mayBeBlank && onlyBlanks.test(part.bytes.toString('latin1'));
    if (!isBlank) parts.push(part);
  }
}
