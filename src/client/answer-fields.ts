import { parseExactJson } from './exact-json.ts';

const decimal = /^\d+(?:\.\d+)?$/;

/** An object of an answer, whose fields are read by name and as what they must be. */
export class AnswerFields {
  readonly #fields: ReadonlyMap<string, unknown>;

  private constructor(value: object) {
    this.#fields = new Map(Object.entries(value));
  }

  /** Throws an `UnreadableAnswer` for a text that is no JSON object; so do all readers below. */
  static parse(text: string): AnswerFields {
    return AnswerFields.of(parseAnswer(text));
  }

  /** Of a value of `parseExactJson`. */
  static of(value: unknown): AnswerFields {
    if (typeof value !== 'object' || value === null) throw new UnreadableAnswer('an object');
    return new AnswerFields(value);
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }

  text(name: string): string {
    const value = this.#fields.get(name);
    if (typeof value !== 'string') throw new UnreadableAnswer(`text in "${name}"`);
    return value;
  }

  /** A decimal with its digits as they were sent: `'3.50'`. */
  decimal(name: string): string {
    const text = this.text(name);
    if (!decimal.test(text)) throw new UnreadableAnswer(`a decimal in "${name}"`);
    return text;
  }

  decimalOrNull(name: string): string | null {
    return this.#fields.get(name) === null ? null : this.decimal(name);
  }

  number(name: string): number {
    return Number(this.decimal(name));
  }

  numberOrNull(name: string): number | null {
    return this.#fields.get(name) === null ? null : this.number(name);
  }

  /** False where there is none. */
  flag(name: string): boolean {
    return this.#fields.get(name) === true;
  }

  object(name: string): AnswerFields {
    return AnswerFields.of(this.#fields.get(name));
  }

  list(name: string): readonly unknown[] {
    return listOf(this.#fields.get(name));
  }

  texts(name: string): readonly string[] {
    return this.list(name).filter((value) => typeof value === 'string');
  }

  /** Those of the fields that there are, as an object. */
  textsIn<Name extends string>(...names: readonly Name[]): { readonly [Key in Name]?: string } {
    const given = names.filter((name) => this.has(name));
    const texts: { [Key in Name]?: string } = {};
    for (const name of given) texts[name] = this.text(name);
    return texts;
  }
}

/** The elements of an answer that is a JSON array; throws an `UnreadableAnswer` for any other. */
export function parseAnswerList(text: string): readonly unknown[] {
  return listOf(parseAnswer(text));
}

/** An answer that is not what this request is answered with: most often that of another service. */
export class UnreadableAnswer extends Error {
  override readonly name = 'UnreadableAnswer';

  constructor(expected: string, options?: ErrorOptions) {
    super(`the answer is not one of Repricer's: ${expected} was expected`, options);
  }
}

function parseAnswer(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch (cause) {
    throw new UnreadableAnswer('JSON', { cause });
  }
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new UnreadableAnswer('a list');
  return value;
}
