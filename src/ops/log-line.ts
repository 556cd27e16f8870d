import { errnoOf } from '../errors.ts';

/** Most severe first. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** Which service it is that logs. */
export interface LogIdentity {
  readonly service?: string;
  readonly version?: string;
  readonly environment?: string;
}

/** What a line says beside its message; the names here are the line's own. */
export interface LogFields {
  readonly [name: string]: unknown;
  readonly timestamp?: never;
  readonly level?: never;
  readonly message?: never;
  readonly service?: never;
  readonly version?: never;
  readonly environment?: never;
}

export interface LogEntry {
  readonly timestamp: Date;
  readonly level: string;
  readonly message: string;
  readonly fields: object;
}

/** Causes of causes are written this deep, so that a cycle of causes ends. */
const causesMax = 5;

/** Stands for a value that JSON cannot hold, such as a circle. */
const unwritable = '(not writable as JSON)';

/** Characters that end a line or steer a terminal; JSON leaves those from U+007F on as they are. */
const lineBreaking = /[\p{Cc}\u2028\u2029]/gu;

/** Whether any of them is left in JSON. */
const needsEscape = /[\u007f-\u009f\u2028\u2029]/;

/** Makes lines of one JSON object each, for machines. Every request has one, so nothing in it is copied. */
export function jsonLineFormat(identity: LogIdentity): (entry: LogEntry) => string {
  const ofIdentity = membersOf(identity);
  return ({ timestamp, level, message, fields }) => {
    const line =
      `{"timestamp":"${timestamp.toISOString()}","level":"${level}"${ofIdentity}` +
      `,"message":${JSON.stringify(message)}${membersOf(described(fields, level === 'error'))}}`;
    return needsEscape.test(line) ? escapeControls(line) : line;
  };
}

/** The members of an object as JSON, with a comma before them. */
export function membersOf(object: object): string {
  const json = toJson(object) ?? toJson(withoutUnwritable(object)) ?? '{}';
  return json === '{}' ? '' : `,${json.slice(1, -1)}`;
}

/** The same fields, made so that JSON tells of them. */
function described(fields: object, withStack: boolean): object {
  if (!Object.values(fields).some(needsDescription)) return fields;
  const entries = Object.entries(fields);
  return Object.fromEntries(entries.map(([name, value]) => [name, describe(value, withStack)]));
}

function needsDescription(value: unknown): boolean {
  return typeof value === 'bigint' || value instanceof Error;
}

function withoutUnwritable(object: object): object {
  const entries = Object.entries(object);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, toJson(value) === undefined ? unwritable : value]),
  );
}

/** One readable line; below it, for an error, where it came from. */
export function formatTerminalLine({ timestamp, level, message, fields }: LogEntry): string {
  const values = given(fields).map(([name, value]) => {
    return `${escapeControls(name)}=${toShort(value)}`;
  });
  const time = timestamp.toISOString().slice(11, 23);
  const line = [time, level.toUpperCase().padEnd(5), escapeControls(message), ...values].join(' ');
  const stacks = level === 'error' ? Object.values(fields).flatMap(stackLines) : [];
  return [line, ...stacks].join('\n');
}

function given(fields: object): readonly (readonly [string, unknown])[] {
  return Object.entries(fields).filter(([, value]) => value !== undefined);
}

function describe(value: unknown, withStack: boolean, depth = 0): unknown {
  if (typeof value === 'bigint') return String(value);
  if (!(value instanceof Error)) return value;
  return {
    name: value.name,
    code: errnoOf(value),
    message: value.message,
    stack: withStack ? value.stack : undefined,
    cause: depth < causesMax ? describe(value.cause, withStack, depth + 1) : undefined,
  };
}

/** Undefined for what JSON cannot hold. It never throws, as logging must not fail the work that it tells of. */
function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function toShort(value: unknown): string {
  if (typeof value === 'string' && /^[\w./:@%+-]+$/.test(value)) return value;
  return escapeControls(toJson(describe(value, false)) ?? unwritable);
}

function stackLines(value: unknown): readonly string[] {
  if (!(value instanceof Error) || value.stack === undefined) return [];
  return value.stack.split('\n').map((line) => `    ${escapeControls(line.trim())}`);
}

function escapeControls(text: string): string {
  return text.replace(lineBreaking, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
