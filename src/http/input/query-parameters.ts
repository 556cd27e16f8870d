import type { FieldProblem } from '../../errors.ts';
import { pointerTo, refuseFields, unknownField } from './field-problems.ts';
import type { JsonSchema } from './json-schema.ts';
import { parseQueryString } from './query-string.ts';

/** How a parameter's text becomes a value: undefined where the text breaks the rule. */
export interface ParameterForm<Value> {
  readonly parse: (text: string) => Value | undefined;
  readonly rule: (text: string) => string;
  /** The rule for the API's description. */
  readonly schema: JsonSchema;
}

/**
 * A query string, taken parameter by parameter. `refuseRest` then reports all problems at once, with
 * every parameter that nobody took: a misspelt filter must not become no filter.
 */
export class QueryParameters {
  readonly #untaken: Map<string, readonly string[]>;
  readonly #problems: FieldProblem[] = [];

  constructor(queryString: string) {
    this.#untaken = new Map(parseQueryString(queryString));
  }

  /** The values of a parameter that may be given several times, each once. */
  all<Value>(name: string, form: ParameterForm<Value>, valuesMax: number): readonly Value[] {
    const texts = [...new Set(this.#take(name))];
    if (texts.length > valuesMax) {
      this.refuse(name, `must be given at most ${valuesMax} times`);
      return [];
    }
    return texts.flatMap((text) => this.#parse(name, text, form) ?? []);
  }

  /** The value of a parameter that may be given once, by one of its names. */
  one<Value>(names: readonly [string, ...string[]], form: ParameterForm<Value>): Value | undefined {
    const [text, ...others] = names.flatMap((name) => this.#take(name));
    if (others.length > 0) this.refuse(names[0], 'must be given only once');
    return text === undefined ? undefined : this.#parse(names[0], text, form);
  }

  /** Refuses parameters that are known, but not here; `detail` says why. */
  exclude(names: readonly string[], detail: string): void {
    for (const name of names) if (this.#take(name).length > 0) this.refuse(name, detail);
  }

  /** The value of a parameter that has to be given, once. */
  required<Value>(name: string, form: ParameterForm<Value>): Value | undefined {
    if (!this.#untaken.has(name)) this.refuse(name, 'must be given');
    return this.one([name], form);
  }

  /** Adds a problem that only several parameters together show. */
  refuse(name: string, detail: string): void {
    this.#problems.push({ pointer: pointerTo([name]), detail });
  }

  refuseRest(): void {
    const unknown = [...this.#untaken.keys()].map((name) => unknownField([], name));
    const problems = [...this.#problems, ...unknown];
    if (problems.length > 0) {
      throw refuseFields('The query parameters break the rules listed in "errors".', problems);
    }
  }

  #take(name: string): readonly string[] {
    const texts = this.#untaken.get(name) ?? [];
    this.#untaken.delete(name);
    return texts;
  }

  #parse<Value>(name: string, text: string, { parse, rule }: ParameterForm<Value>) {
    const value = parse(text);
    if (value === undefined) this.refuse(name, rule(text));
    return value;
  }
}
