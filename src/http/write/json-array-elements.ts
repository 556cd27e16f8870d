import { RepricerError } from '../../errors.ts';
import { type BodyPart, type BodySplitter, PartBytes } from './body-parts.ts';

const [quote, backslash, comma, closingBracket] = [0x22, 0x5c, 0x2c, 0x5d];
const firstMarkByte = 0xef;
const openers = new Set([0x5b, 0x7b]);
const closers = new Set([0x5d, 0x7d]);
const blanks = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * The elements of a JSON array. It is cut at its commas, with an eye for strings and for the depth of
 * brackets and nothing else: whether an element is JSON is for whoever parses it.
 */
export class JsonArrayElements implements BodySplitter {
  readonly #element: PartBytes;
  number = 1;
  /** 0 before the array and after it, 1 between its elements. */
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** Whether the array has begun, and whether anything stands where the next element belongs. */
  #hasBegun = false;
  #hasElement = false;
  /** Whether what stands in the array's place begins as a byte order mark does, and no JSON value. */
  #isMarked = false;
  isBroken = false;

  /** An element longer than `bytesMax` is a part with an error. */
  constructor(bytesMax: number) {
    this.#element = new PartBytes(bytesMax);
  }

  take(chunk: Buffer): readonly BodyPart[] {
    const parts: BodyPart[] = [];
    let start = 0;
    for (let index = 0; index < chunk.length && !this.isBroken; index += 1) {
      const wasOutside = this.#depth === 0;
      const end = this.#see(chunk[index] ?? 0);
      if (wasOutside) start = index + 1;
      if (end === undefined) continue;
      this.#element.add(chunk.subarray(start, index));
      start = index + 1;
      parts.push(...this.#finish(end));
    }
    if (this.#depth > 0) this.#element.add(chunk.subarray(start));
    return parts;
  }

  end(): readonly BodyPart[] {
    const isWhole = this.#hasBegun && this.#depth === 0;
    return isWhole || this.isBroken ? [] : [this.#broken('it ends before the array does')];
  }

  /** What the byte ends: an element, or the array; undefined when it ends neither. */
  #see(byte: number): 'element' | 'array' | undefined {
    if (this.#isInString) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === backslash) this.#isEscaped = true;
      else if (byte === quote) this.#isInString = false;
      return undefined;
    }
    if (blanks.has(byte)) return undefined;
    if (this.#depth === 0) return this.#seeOutside(byte);
    if (this.#depth === 1 && byte === comma) return 'element';
    if (closers.has(byte)) {
      if (this.#depth === 1 && byte !== closingBracket) return this.#breakOff();
      this.#depth -= 1;
      return this.#depth === 0 ? 'array' : undefined;
    }
    if (openers.has(byte)) this.#depth += 1;
    if (byte === quote) this.#isInString = true;
    this.#hasElement = true;
    return undefined;
  }

  #seeOutside(byte: number): 'array' | undefined {
    if (byte === 0x5b && !this.#hasBegun) {
      this.#hasBegun = true;
      this.#depth = 1;
      return undefined;
    }
    this.#isMarked = byte === firstMarkByte;
    return this.#breakOff();
  }

  #breakOff(): 'array' {
    this.isBroken = true;
    return 'array';
  }

  #finish(end: 'element' | 'array'): readonly BodyPart[] {
    if (this.isBroken) {
      const what = this.#depth > 0 ? 'a bracket does not fit' : this.#outsideProblem();
      return [this.#broken(what)];
    }
    const isLast = end === 'array';
    // `[]` has no elements, but `[1,]` has an empty last one.
    if (isLast && !this.#hasElement && this.number === 1) return [];
    const part = this.#element.finish(this.number);
    this.number += 1;
    this.#hasElement = false;
    return [part];
  }

  #outsideProblem(): string {
    if (this.#hasBegun) return 'something follows the array';
    return this.#isMarked ? 'it begins with a byte order mark' : 'it is no array';
  }

  #broken(reason: string): BodyPart {
    this.isBroken = true;
    const why = `The body is not a valid JSON array (${reason}).`;
    return { number: this.number, error: new RepricerError('BAD_REQUEST', why) };
  }
}
