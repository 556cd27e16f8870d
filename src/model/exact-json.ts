import { isDeepStrictEqual } from 'node:util';

/** A number of a JSON text as it was written, so that 3.50 stays 3.50 and no float stands between. */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What is wrong with a text, and where: completes "It …", and quotes nothing of the text. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

/**
 * The value of a JSON text (RFC 8259), in which numbers are what `toNumber` makes of their digits. A key
 * that stands twice in an object with different values is refused; with the same value it means one thing
 * only. Throws `JsonError`.
 */
export function parseExactJson(text: string, toNumber: ToNumber = toExactNumber): unknown {
  try {
    return new JsonScanner(text, toNumber).scan();
  } catch (error) {
    // Nesting that is too deep ends the recursion.
    if (error instanceof RangeError) throw noJson('it is nested too deeply', error);
    throw error;
  }
}

type ToNumber = (digits: string) => unknown;

function toExactNumber(digits: string): ExactNumber {
  return new ExactNumber(digits);
}

function noJson(why: string, cause?: unknown): JsonError {
  return new JsonError(`is not valid JSON (${why})`, { cause });
}

const number = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

const quote = 0x22;
const backslash = 0x5c;

class JsonScanner {
  readonly #text: string;
  readonly #toNumber: ToNumber;
  #at = 0;

  constructor(text: string, toNumber: ToNumber) {
    this.#text = text;
    this.#toNumber = toNumber;
  }

  scan(): unknown {
    const value = this.#value();
    if (this.#at < this.#text.length) throw this.#unreadable();
    return value;
  }

  /** A value, and the blanks around it. */
  #value(): unknown {
    this.#skipBlanks();
    const value = this.#bareValue();
    this.#skipBlanks();
    return value;
  }

  #bareValue(): unknown {
    switch (this.#text.charAt(this.#at)) {
      case '"':
        return this.#string();
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(): object {
    const object: Record<string, unknown> = {};
    this.#at += 1;
    this.#skipBlanks();
    if (this.#skip('}')) return object;
    do {
      this.#skipBlanks();
      const start = this.#at;
      const key = this.#string();
      this.#skipBlanks();
      this.#need(':');
      const value = this.#value();
      if (Object.hasOwn(object, key) && !isDeepStrictEqual(object[key], value)) {
        throw new JsonError(`has the same key twice in one object (at position ${start + 1})`);
      }
      put(object, key, value);
    } while (this.#skip(','));
    this.#need('}');
    return object;
  }

  #array(): unknown[] {
    const array: unknown[] = [];
    this.#at += 1;
    this.#skipBlanks();
    if (this.#skip(']')) return array;
    do array.push(this.#value());
    while (this.#skip(','));
    this.#need(']');
    return array;
  }

  /** What is between the quotes is the matter of `JSON.parse`, whose strings share no memory with the text. */
  #string(): string {
    const start = this.#at;
    this.#need('"');
    let code = this.#text.charCodeAt(this.#at);
    while (code !== quote && this.#at < this.#text.length) {
      this.#at += code === backslash ? 2 : 1;
      code = this.#text.charCodeAt(this.#at);
    }
    this.#need('"');
    try {
      return JSON.parse(this.#text.slice(start, this.#at)) as string;
    } catch (cause) {
      throw noJson(`at position ${start}`, cause);
    }
  }

  #number(): unknown {
    const start = this.#at;
    while (isOfNumber(this.#text.charCodeAt(this.#at))) this.#at += 1;
    const text = this.#text.slice(start, this.#at);
    if (!number.test(text)) throw this.#unreadable();
    return this.#toNumber(text);
  }

  #word<Value>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unreadable();
    this.#at += word.length;
    return value;
  }

  #skipBlanks(): void {
    while (isBlank(this.#text.charCodeAt(this.#at))) this.#at += 1;
  }

  #skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #need(character: string): void {
    if (!this.#skip(character)) throw this.#unreadable();
  }

  #unreadable(): JsonError {
    return noJson(`at position ${this.#at}`);
  }
}

function put(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true });
  else object[key] = value;
}

/** Space, tab, line feed and carriage return. */
function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}

/** `0` to `9`, `+`, `-`, `.`, `E` and `e`. */
function isOfNumber(code: number): boolean {
  const isDigit = code >= 0x30 && code <= 0x39;
  return isDigit || code === 0x2b || code === 0x2d || code === 0x2e || (code | 0x20) === 0x65;
}
