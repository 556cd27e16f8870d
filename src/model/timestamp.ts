declare const timestampBrand: unique symbol;

/** Microseconds since the Unix epoch, a safe integer; years 1970 to 2255. */
export type Timestamp = number & { readonly [timestampBrand]: true };

const microsPerSecond = 1_000_000;

export function isTimestamp(value: number): value is Timestamp {
  return Number.isSafeInteger(value) && value >= 0;
}

/** The timestamp `micros` microseconds after the epoch. A value outside its range is a programmer's mistake. */
export function toTimestamp(micros: number): Timestamp {
  if (!isTimestamp(micros)) throw new RangeError(`${micros} is not a timestamp`);
  return micros;
}

/** UTC with microseconds, RFC 3339: `'2026-11-21T01:11:15.355823Z'`. */
export function formatTimestamp(timestamp: Timestamp): string {
  const seconds = Math.floor(timestamp / microsPerSecond);
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${fractionOf(timestamp)}Z`;
}

/** `formatTimestamp` for many that lie close together, a third of its time each: it keeps the last second's text. */
export function createTimestampFormat(): (timestamp: Timestamp) => string {
  let keptSeconds = Number.NaN;
  let text = '';
  return (timestamp) => {
    const seconds = Math.floor(timestamp / microsPerSecond);
    if (seconds !== keptSeconds) text = formatTimestamp(timestamp).slice(0, 20);
    keptSeconds = seconds;
    return `${text}${fractionOf(timestamp)}Z`;
  };
}

/** Seconds since the epoch as exact decimal text: `'1763687475.355823'`. */
export function formatEpochSeconds(timestamp: Timestamp): string {
  return `${Math.floor(timestamp / microsPerSecond)}.${fractionOf(timestamp)}`;
}

/** The UTC date of a timestamp: `'2026-11-21'`. */
export function dateOf(timestamp: Timestamp): string {
  return new Date(timestamp / 1000).toISOString().slice(0, 10);
}

/** The first timestamp of the UTC day after the one of `timestamp`. */
export function nextMidnight(timestamp: Timestamp): Timestamp {
  const dayMicros = 86_400 * microsPerSecond;
  return toTimestamp((Math.floor(timestamp / dayMicros) + 1) * dayMicros);
}

const written = /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)\.(\d{6})Z$/;

/** The inverse of `formatTimestamp`; undefined for any other text. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const match = written.exec(text);
  if (match === null) return undefined;
  // Every line that is read has one, so it is not formatted again to see whether its day is on the calendar.
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  // Date.UTC takes the years up to 99 for those of the twentieth century.
  if (year < 1970 || day < 1 || day > daysIn(year, month)) return undefined;
  const [hours, minutes, seconds] = [Number(match[4]), Number(match[5]), Number(match[6])];
  const millis = Date.UTC(year, month - 1, day, hours, minutes, seconds);
  const micros = millis * 1000 + Number(match[7]);
  return isTimestamp(micros) ? micros : undefined;
}

/** `parseTimestamp` for many that lie close together: it keeps the last second. */
export function createTimestampParse(): (text: string) => Timestamp | undefined {
  /** The last second's text, its point included. */
  let keptText: string | undefined;
  let keptMicros = 0;
  return (text) => {
    if (keptText !== undefined && text.startsWith(keptText) && fractionWritten.test(text)) {
      const micros = keptMicros + Number(text.slice(20, 26));
      return isTimestamp(micros) ? micros : undefined;
    }
    const timestamp = parseTimestamp(text);
    if (timestamp !== undefined) {
      keptText = text.slice(0, 20);
      keptMicros = timestamp - (timestamp % microsPerSecond);
    }
    return timestamp;
  };
}

const fractionWritten = /^.{20}\d{6}Z$/;

const daysOfMonths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** 0 for what is no month. */
function daysIn(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 && isLeap ? 29 : (daysOfMonths[month - 1] ?? 0);
}

const instant =
  /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/**
 * The timestamp nearest to the moment that an RFC 3339 date-time names; undefined for any other text.
 * Moments before 1970 become the epoch, and those past the last timestamp (`9999-12-31T23:59:59Z`, for
 * "no end") become that one: no record lies between, so what is found from, up to or at it is the same.
 */
export function parseInstant(text: string, rounding: 'down' | 'up'): Timestamp | undefined {
  const micros = parseInstantMicros(text, rounding);
  if (micros === undefined) return undefined;
  return toTimestamp(Math.min(Math.max(0, micros), Number.MAX_SAFE_INTEGER));
}

/**
 * The moment that an RFC 3339 date-time names, in microseconds since the epoch, which may lie outside
 * the timestamps; undefined for any other text. Digits past the microsecond are rounded down, or up for
 * `'up'` (the start of a range), so that a range never takes in a record outside it. A leap second
 * (`:60`) is refused, as clocks here never show one.
 */
export function parseInstantMicros(text: string, rounding: 'down' | 'up'): number | undefined {
  const match = instant.exec(text);
  if (match === null) return undefined;
  const [, date = '', time = '', fraction = '', offset = ''] = match;
  const utcMillis = Date.parse(`${date}T${time}Z`);
  const millis = Date.parse(`${date}T${time}${offset.toUpperCase()}`);
  if (Number.isNaN(millis) || !isOnCalendar(utcMillis, date, time)) return undefined;
  const wholeMicros = millis * 1000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
  const extra = rounding === 'up' && /[1-9]/.test(fraction.slice(6)) ? 1 : 0;
  return wholeMicros + extra;
}

/** Date.parse reads 30 February as 2 March and 24:00 as the next day; those are no dates here. */
function isOnCalendar(utcMillis: number, date: string, time: string): boolean {
  return new Date(utcMillis).toISOString().startsWith(`${date}T${time}`);
}

function fractionOf(timestamp: Timestamp): string {
  return String(timestamp % microsPerSecond).padStart(6, '0');
}
