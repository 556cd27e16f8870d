import { parseArgs } from 'node:util';
import { RepricerError } from '../errors.ts';
import { contradictions } from './contradictions.ts';
import {
  type Config,
  flagOf,
  type OptionName,
  optionNames,
  options,
  tokenVariable,
  variableOf,
} from './options.ts';

/** Environment variables, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A value as it was given, and the flag or variable that gave it. */
interface Given {
  readonly source: string;
  readonly text: string;
}

/** The values of these options, each from its flag, its variable or its default. Throws `INVALID_CONFIG`. */
export function readOptions(
  names: readonly OptionName[],
  env: Environment,
  argv: readonly string[],
): Partial<Config> {
  const problems: string[] = [];
  const flags = readFlags(names, argv, problems);
  const variables = readVariables(env, problems);
  const values: Partial<Config> = {};
  for (const name of names) {
    const given = flags.get(name) ?? variables.get(name);
    Object.assign(values, { [name]: readValue(name, given, problems) });
  }
  problems.push(...contradictions(values));
  if (problems.length > 0) throw new RepricerError('INVALID_CONFIG', problems.join('\n'));
  return values;
}

function readFlags(
  names: readonly OptionName[],
  argv: readonly string[],
  problems: string[],
): ReadonlyMap<OptionName, Given> {
  const nameOfFlag = new Map(names.map((name) => [`--${flagOf(name)}`, name]));
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(names.map((name) => [flagOf(name), { type: flagType(name) }])),
    // A strict parser throws at the first problem, and all of them are wanted.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<OptionName, Given>();
  for (const token of tokens) {
    if (token.kind === 'positional') {
      problems.push(`${JSON.stringify(token.value)} belongs to no flag`);
    }
    if (token.kind !== 'option') continue;
    const name = nameOfFlag.get(token.rawName);
    if (name === undefined) problems.push(`${token.rawName} is not a flag of this command`);
    else if (token.value === undefined && options[name].isToggle === true) {
      given.set(name, { source: token.rawName, text: 'true' });
    } else if (token.value === undefined || (!token.inlineValue && token.value.startsWith('--'))) {
      problems.push(`${token.rawName} has no value`);
    } else given.set(name, { source: token.rawName, text: token.value });
  }
  return given;
}

function readVariables(env: Environment, problems: string[]): ReadonlyMap<OptionName, Given> {
  const nameOfVariable = new Map(optionNames.map((name) => [variableOf(name), name]));
  const given = new Map<OptionName, Given>();
  for (const [variable, value] of Object.entries(env)) {
    if (value === undefined || !variable.startsWith('REPRICER_')) continue;
    if (variable === tokenVariable) continue;
    const name = nameOfVariable.get(variable);
    if (name === undefined) problems.push(`${variable} is not a variable of this program`);
    else given.set(name, { source: variable, text: value });
  }
  return given;
}

function readValue(name: OptionName, given: Given | undefined, problems: string[]): unknown {
  const { defaultValue, rule, parse } = options[name];
  if (given === undefined) return defaultValue;
  const value = parse(given.text);
  if (value === undefined) {
    problems.push(`${given.source} ${JSON.stringify(given.text)} must be ${rule}`);
  }
  return value;
}

function flagType(name: OptionName): 'boolean' | 'string' {
  return options[name].isToggle === true ? 'boolean' : 'string';
}
