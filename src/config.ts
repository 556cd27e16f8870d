import assert from 'node:assert/strict';
import { BlockList, isIPv6 } from 'node:net';
import { parseArgs } from 'node:util';
import { RepricerError } from './errors.ts';

const mebibyte = 1024 * 1024;

/**
 * Every option, once: its flag, its environment variable, its help and its type come from here.
 *
 * `freeBytesMin` covers what is owed to the volume when writes stop: a block of 4 KiB for each record
 * of a full backlog (781 MiB by default), and the copy of the open segment that recovery makes.
 */
const options = {
  dataDir: text('./data', 'Directory of the journal and of all that is made from it.'),
  host: text('127.0.0.1', 'Address that the service listens on; 0.0.0.0 is every IPv4 interface.'),
  tokensFile: text('', 'File of the tokens that clients need; see "repricer token create".'),
  allowAnonymous: toggle('Lets clients in without tokens on an address that others can reach.'),
  clientRate: integer(
    0,
    'requests',
    0,
    1_000_000,
    'How many requests, or lines of batches, each client may send a second; 0 is no limit.',
  ),
  clientBurst: integer(
    100,
    'requests',
    1,
    1_000_000,
    'How many of them a client that was quiet may send at once.',
  ),
  port: integer(8080, '', 0, 65_535, 'Port of the API; 0 takes any free one.'),
  backplanePort: integer(9102, '', 0, 65_535, 'Port of health and metrics; 0 takes any free one.'),
  admin: toggle('Lets whoever reaches the backplane seal, flush, stop writes and take snapshots.'),
  queueMax: integer(
    50,
    'records',
    1,
    100_000,
    'How many records wait or are being written at once; writes beyond are refused.',
  ),
  readsMax: integer(
    50,
    'requests',
    1,
    100_000,
    'How many GET requests each endpoint serves in parallel; those beyond are refused.',
  ),
  batchesMax: integer(
    4,
    'requests',
    1,
    1000,
    'How many batch requests are served in parallel; those beyond are refused.',
  ),
  batchLinesMax: integer(
    1000,
    'lines',
    1,
    5000,
    'How many lines of a batch are recorded together, and the most that an atomic one may have.',
  ),
  bodyBytesMax: integer(
    16_384,
    'bytes',
    256,
    mebibyte,
    'The longest body of a reprice request, and the longest line of a batch.',
  ),
  segmentBytesMax: integer(
    64 * mebibyte,
    'bytes',
    4096,
    1024 * mebibyte,
    'A journal segment is sealed when it has grown to this size.',
  ),
  segmentAgeMaxMs: integer(
    3_600_000,
    'ms',
    1,
    86_400_000,
    'A journal segment is sealed at this age, so that readers see its records.',
  ),
  flushIntervalMs: integer(
    1000,
    'ms',
    1,
    3_600_000,
    'The shortest time from one round of appends to product files to the next.',
  ),
  checkpointIntervalMs: integer(
    10_000,
    'ms',
    1,
    3_600_000,
    'How often product files are synced, which bounds what a restart repeats.',
  ),
  checkpointBytesMax: integer(
    64 * mebibyte,
    'bytes',
    4096,
    1024 * mebibyte,
    'Product files are synced sooner once this much was appended to them.',
  ),
  backlogRecordsMax: integer(
    200_000,
    'records',
    1,
    10_000_000,
    'How many records wait in memory to be appended to product files.',
  ),
  backlogWaitMs: integer(
    5000,
    'ms',
    0,
    600_000,
    'How long a write waits for room among those records before it is refused.',
  ),
  lastPricesMax: integer(
    1_000_000,
    'products',
    1,
    16_000_000,
    'How many last prices are kept in memory; others are read from their files.',
  ),
  idempotencyWindowMs: integer(
    86_400_000,
    'ms',
    1000,
    31 * 86_400_000,
    'How long an idempotency key stands for the request that it was first sent with.',
  ),
  idempotencyKeysMax: integer(
    100_000,
    'keys',
    1,
    10_000_000,
    'How many of them are known at once; the oldest are forgotten first.',
  ),
  freeBytesMin: integer(
    1024 * mebibyte,
    'bytes',
    0,
    1024 * 1024 * mebibyte,
    'Writes stop when the volume has less room; 0 lets them fill it.',
  ),
  streamSubscribersMax: integer(
    1000,
    'subscribers',
    1,
    100_000,
    'How many streams of the feed are open at once; those beyond are refused.',
  ),
  // Both end below the 65 s after which the server closes a connection on which nothing moves.
  streamHeartbeatMs: integer(
    15_000,
    'ms',
    1,
    60_000,
    'After so long without an event a stream is sent a comment.',
  ),
  streamStallMs: integer(
    60_000,
    'ms',
    1,
    60_000,
    'A subscriber that does not take what it was sent for so long is dropped.',
  ),
  connectionsMax: integer(
    2000,
    'connections',
    1,
    100_000,
    'How many connections are open at once; those beyond are closed at once.',
  ),
  requestTimeoutMs: integer(
    15_000,
    'ms',
    1,
    3_600_000,
    'A request must have been received whole within this time.',
  ),
  shutdownTimeoutMs: integer(
    30_000,
    'ms',
    1,
    3_600_000,
    'How long a stop may take to finish accepted work before it is forced.',
  ),
  logLevel: choice(
    ['error', 'warn', 'info', 'debug'],
    'info',
    'The least severe level that is logged.',
  ),
  profiling: toggle(
    'Lets the backplane take profiles of processor and heap: POST /profile/cpu, heap.',
  ),
};

type OptionName = keyof typeof options;

type ValueOf<AnOption> = AnOption extends Option<infer Value> ? Value : never;

/** What an operator decides. Sizes are bytes, times are milliseconds. */
export type Config = { readonly [Name in OptionName]: ValueOf<(typeof options)[Name]> };

export type ServiceAddress = Pick<Config, 'dataDir' | 'host' | 'backplanePort'>;

/** Environment variables, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

const optionNames = Object.keys(options).filter(isOptionName);

/**
 * The frozen config that flags (`--queue-max 10`) and variables (`REPRICER_QUEUE_MAX=10`) give; a
 * flag wins over its variable. Throws `INVALID_CONFIG` with a line for every broken rule at once.
 * Unknown flags and unknown `REPRICER_*` variables break a rule, as a misspelt limit would
 * otherwise leave the default in force unnoticed.
 */
export function readConfig(env: Environment, argv: readonly string[]): Config {
  const values = readOptions(optionNames, env, argv);
  assert(isConfig(values));
  return Object.freeze(values);
}

/** `readConfig` on the environment of this process. */
export function readProcessConfig(argv: readonly string[]): Config {
  return readConfig(process.env, argv);
}

/** The data directory alone, for commands that take no other flag; otherwise as `readConfig`. */
export function readDataDir(env: Environment, argv: readonly string[]): string {
  const { dataDir } = readOptions(['dataDir'], env, argv);
  assert(dataDir !== undefined);
  return dataDir;
}

/** `readDataDir` on the environment of this process, and whether `flag`, if any, was given, which takes no value. */
export function readProcessDataDir(
  argv: readonly string[],
  flag?: string,
): { readonly directory: string; readonly isGiven: boolean } {
  const others = argv.filter((word) => word !== flag);
  return { directory: readDataDir(process.env, others), isGiven: others.length < argv.length };
}

/** Where a command finds the running service: its data directory and its backplane; otherwise as `readDataDir`. */
export function readProcessServiceAddress(argv: readonly string[]): ServiceAddress {
  const { dataDir, host, backplanePort } = readOptions(
    ['dataDir', 'host', 'backplanePort'],
    process.env,
    argv,
  );
  assert(dataDir !== undefined && host !== undefined && backplanePort !== undefined);
  return { dataDir, host, backplanePort };
}

/** All options with variable, default, range and meaning, for `--help`. */
export function configHelp(): string {
  return optionNames
    .map((name) => {
      const { help, defaultValue, unit, rule } = options[name];
      return [
        `  --${flagOf(name)}, ${variableOf(name)}`,
        `      ${help}`,
        `      Default ${amount(defaultValue, unit)}; ${rule}.`,
      ].join('\n');
    })
    .join('\n');
}

interface Option<Value> {
  /** Its flag stands alone, and then means true. */
  readonly isToggle?: true;
  readonly defaultValue: Value;
  readonly unit: string;
  /** Completes "must be …". */
  readonly rule: string;
  readonly help: string;
  /** The value that `text` gives; undefined when it breaks the rule. */
  parse(text: string): Value | undefined;
}

/** A value as it was given, and the flag or variable that gave it. */
interface Given {
  readonly source: string;
  readonly text: string;
}

function text(defaultValue: string, help: string): Option<string> {
  return {
    defaultValue,
    unit: '',
    rule: 'not empty',
    help,
    parse: (given) => (given.trim() === '' ? undefined : given),
  };
}

const truths: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

function toggle(help: string): Option<boolean> {
  return {
    isToggle: true,
    defaultValue: false,
    unit: '',
    rule: 'true or false',
    help,
    parse: (given) => truths.get(given),
  };
}

function integer(
  defaultValue: number,
  unit: string,
  min: number,
  max: number,
  help: string,
): Option<number> {
  return {
    defaultValue,
    unit,
    rule: `a whole number from ${min} to ${max}`,
    help,
    parse(given) {
      const value = /^(?:0|[1-9][0-9]*)$/.test(given) ? Number(given) : Number.NaN;
      return value >= min && value <= max ? value : undefined;
    },
  };
}

function choice<const Choice extends string>(
  choices: readonly Choice[],
  defaultValue: NoInfer<Choice>,
  help: string,
): Option<Choice> {
  return {
    defaultValue,
    unit: '',
    rule: `one of ${choices.join(', ')}`,
    help,
    parse: (given) => choices.find((one) => one === given),
  };
}

function readOptions(
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

/** Rules that bind two options; a value that already broke its own rule breaks none of these. */
function contradictions(values: Partial<Config>): readonly string[] {
  const {
    port,
    backplanePort,
    host,
    tokensFile,
    allowAnonymous,
    queueMax = 0,
    backlogRecordsMax = queueMax,
  } = values;
  const problems: string[] = [];
  if (port !== undefined && port !== 0 && port === backplanePort) {
    problems.push(`--backplane-port ${backplanePort} must differ from --port`);
  }
  if (backlogRecordsMax < queueMax) {
    problems.push(
      `--backlog-records-max ${backlogRecordsMax} must be at least --queue-max ${queueMax}, ` +
        'or a full batch would never find room',
    );
  }
  if (tokensFile !== undefined && tokensFile !== '' && allowAnonymous === true) {
    problems.push('--allow-anonymous and --tokens-file exclude each other');
  }
  if (tokensFile === '' && allowAnonymous === false && host !== undefined && !isLoopback(host)) {
    problems.push(
      `--host ${host} is an address that others can reach: give --tokens-file, or ` +
        '--allow-anonymous to let everyone read and reprice',
    );
  }
  return problems;
}

/** Whether an address, or the one name that is known to mean such an address, is this machine's own. */
function isLoopback(host: string): boolean {
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8);
  loopback.addAddress('::1', 'ipv6');
  return host === 'localhost' || loopback.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

function isConfig(values: Partial<Config>): values is Config {
  return optionNames.every((name) => values[name] !== undefined);
}

function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(options, name);
}

function flagType(name: OptionName): 'boolean' | 'string' {
  return options[name].isToggle === true ? 'boolean' : 'string';
}

function flagOf(name: OptionName): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function variableOf(name: OptionName): string {
  return `REPRICER_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`;
}

function amount(value: string | number | boolean, unit: string): string {
  if (value === '') return 'none';
  const mebibytes = Number(value) / mebibyte;
  const isReadable = unit === 'bytes' && Number.isInteger(mebibytes);
  return `${value} ${unit}${isReadable ? ` (${mebibytes} MiB)` : ''}`.trimEnd();
}
