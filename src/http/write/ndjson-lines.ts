import { type BodyPart, type BodySplitter, PartBytes } from './body-parts.ts';

const newline = 10;
const onlyBlanks = /^[ \t\r]*$/;

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
      parts.push(...this.#finish());
      start = end + 1;
    }
    this.#line.add(chunk.subarray(start));
    return parts;
  }

  end(): readonly BodyPart[] {
    return this.#finish();
  }

  #finish(): readonly BodyPart[] {
    const part = this.#line.finish(this.number);
    this.number += 1;
    const isBlank = 'bytes' in part && onlyBlanks.test(part.bytes.toString('latin1'));
    return isBlank ? [] : [part];
  }
}
