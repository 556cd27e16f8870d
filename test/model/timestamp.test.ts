import test from 'ava';
import fc from 'fast-check';
import {
  createTimestampParse,
  dateOf,
  formatEpochSeconds,
  formatTimestamp,
  isTimestamp,
  nextMidnight,
  parseInstant,
  parseTimestamp,
  type Timestamp,
  toTimestamp,
} from '../../src/model/timestamp.ts';

const last = Number.MAX_SAFE_INTEGER;

test('a timestamp that was formatted is parsed to the same microsecond', (t) => {
  fc.assert(
    fc.property(timestamps(), (timestamp) => {
      return parseTimestamp(formatTimestamp(timestamp)) === timestamp;
    }),
  );
  t.is(parseTimestamp(formatTimestamp(toTimestamp(0))), toTimestamp(0));
  t.is(parseTimestamp(formatTimestamp(toTimestamp(last))), toTimestamp(last));
});

test('timestamps are written as UTC with exactly six fraction digits', (t) => {
  t.is(formatTimestamp(toTimestamp(0)), '1970-01-01T00:00:00.000000Z');
  t.is(formatTimestamp(toTimestamp(1_795_223_475_355_823)), '2026-11-21T01:11:15.355823Z');
  t.is(formatTimestamp(toTimestamp(1_795_223_475_000_001)), '2026-11-21T01:11:15.000001Z');
  t.is(formatTimestamp(toTimestamp(last)), '2255-06-05T23:47:34.740991Z');
});

test('the texts of timestamps sort as the timestamps do', (t) => {
  fc.assert(
    fc.property(timestamps(), timestamps(), (one, other) => {
      return formatTimestamp(one) < formatTimestamp(other) === one < other;
    }),
  );
  t.pass();
});

test('many timestamps are parsed as each would be alone, in any order and with others that are none', (t) => {
  const near = fc.integer({ min: 0, max: 3_000_000 }).map((micros) => toTimestamp(1e15 + micros));
  const text = fc.oneof(near, near, timestamps()).map(formatTimestamp);
  const damaged = fc
    .record({
      text,
      at: fc.nat(27),
      length: fc.nat(2),
      put: fc.constantFrom('', '0', '.', 'Z', ' 1'),
    })
    .map(({ text, at, length, put }) => text.slice(0, at) + put + text.slice(at + length));

  fc.assert(
    fc.property(fc.array(fc.oneof(text, text, damaged), { maxLength: 20 }), (texts) => {
      const parse = createTimestampParse();

      t.deepEqual(
        texts.map((each) => parse(each)),
        texts.map((each) => parseTimestamp(each)),
      );
    }),
    { numRuns: 2000 },
  );
});

test('the last second of all has fewer microseconds than others', (t) => {
  const parse = createTimestampParse();

  t.is(parse(formatTimestamp(toTimestamp(last))), toTimestamp(last));
  t.is(parse(formatTimestamp(toTimestamp(last)).replace(/\d{6}Z/, '999999Z')), undefined);
});

test('parseTimestamp takes no text but one that formatTimestamp writes', (t) => {
  const texts = fc.oneof(
    fc.string(),
    dateTimes(),
    fc.tuple(timestamps(), fc.nat(30), fc.string({ maxLength: 2 })).map(mutated),
  );

  fc.assert(
    fc.property(texts, (text) => {
      const timestamp = parseTimestamp(text);
      return timestamp === undefined || formatTimestamp(timestamp) === text;
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('parseTimestamp takes every day of the calendar from 1970 on, and no other', (t) => {
  for (let year = 1968; year <= 2104; year += 1) {
    for (let month = 0; month <= 13; month += 1) {
      for (let day = 0; day <= 32; day += 1) {
        const text = `${year}-${pad(month, 2)}-${pad(day, 2)}T12:00:00.000000Z`;
        const isTaken = parseTimestamp(text) !== undefined;
        if (isTaken !== (year >= 1970 && isOnCalendar(text))) t.fail(text);
      }
    }
  }
  t.pass();
});

for (const text of [
  '',
  '2026-11-21',
  '2026-11-21T01:11:15Z',
  '2026-11-21T01:11:15.355Z',
  '2026-11-21T01:11:15.3558231Z',
  '2026-11-21T01:11:15.355823',
  '2026-11-21T01:11:15.355823+00:00',
  '2026-11-21t01:11:15.355823z',
  '2026-11-21 01:11:15.355823Z',
  '2026-11-21T01:11:15.355823Z\n',
  ' 2026-11-21T01:11:15.355823Z',
  '2026-11-21T01:11:15.35582３Z',
  '2026-02-30T00:00:00.000000Z',
  '2027-02-29T00:00:00.000000Z',
  '2026-13-01T00:00:00.000000Z',
  '2026-00-01T00:00:00.000000Z',
  '2026-01-00T00:00:00.000000Z',
  '2026-01-01T24:00:00.000000Z',
  '2026-01-01T00:60:00.000000Z',
  '2026-12-31T23:59:60.000000Z',
  '1969-12-31T23:59:59.999999Z',
  '2255-06-05T23:47:34.740992Z',
  '9999-12-31T23:59:59.999999Z',
]) {
  test(`${JSON.stringify(text)} is not a timestamp's text`, (t) => {
    t.is(parseTimestamp(text), undefined);
  });
}

test('whole, safe, non-negative numbers are timestamps, and no others', (t) => {
  t.true(isTimestamp(0));
  t.true(isTimestamp(last));
  for (const value of [-1, 0.5, last + 1, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.false(isTimestamp(value), String(value));
    t.throws(() => toTimestamp(value), { instanceOf: RangeError }, String(value));
  }
});

test('epoch seconds are the exact decimal of a timestamp', (t) => {
  fc.assert(
    fc.property(timestamps(), (timestamp) => {
      const [seconds = '', fraction = ''] = formatEpochSeconds(timestamp).split('.');
      return fraction.length === 6 && BigInt(seconds + fraction) === BigInt(timestamp);
    }),
  );
  t.is(formatEpochSeconds(toTimestamp(1_795_223_475_000_023)), '1795223475.000023');
  t.is(formatEpochSeconds(toTimestamp(5)), '0.000005');
});

test('the date of a timestamp is the one its text begins with', (t) => {
  fc.assert(
    fc.property(aroundMidnight(), (timestamp) => {
      return dateOf(timestamp) === formatTimestamp(timestamp).slice(0, 10);
    }),
  );
  t.pass();
});

test('the next midnight is the first moment of another date', (t) => {
  fc.assert(
    fc.property(aroundMidnight(), (timestamp) => {
      const midnight = nextMidnight(timestamp);
      return (
        midnight > timestamp &&
        dateOf(midnight) !== dateOf(timestamp) &&
        dateOf(toTimestamp(midnight - 1)) === dateOf(timestamp)
      );
    }),
  );
  t.is(dateOf(nextMidnight(micros('2028-02-28T23:59:59.999999Z'))), '2028-02-29');
});

test('an instant in UTC is the timestamp that it reads as, rounded either way', (t) => {
  fc.assert(
    fc.property(timestamps(), fc.constantFrom('down', 'up'), (timestamp, rounding) => {
      return parseInstant(formatTimestamp(timestamp), rounding) === timestamp;
    }),
  );
  t.pass();
});

test('an instant with an offset is as many minutes earlier as the offset is ahead', (t) => {
  fc.assert(
    fc.property(aroundMidnight(), offsets(), (timestamp, minutes) => {
      const local = formatTimestamp(toTimestamp(timestamp + minutes * 60_000_000)).slice(0, -1);
      return parseInstant(local + offsetText(minutes), 'down') === timestamp;
    }),
  );
  t.pass();
});

test('an offset can move an instant to another day, month and year', (t) => {
  const newYear = micros('2026-12-31T23:30:00.000000Z');
  const leapDay = micros('2028-02-29T00:30:00.000000Z');

  t.is(parseInstant('2027-01-01T01:30:00+02:00', 'down'), newYear);
  t.is(parseInstant('2028-02-28T22:30:00-02:00', 'down'), leapDay);
  t.is(parseInstant('2027-01-01T23:29:00+23:59', 'down'), newYear);
  t.is(parseInstant('2026-12-31T23:30:00-00:00', 'down'), newYear);
});

test('the letters of an instant may be lower-case', (t) => {
  const moment = micros('2026-11-21T01:11:15.500000Z');

  t.is(parseInstant('2026-11-21t01:11:15.5z', 'down'), moment);
  t.is(parseInstant('2026-11-21t01:11:15.5Z', 'down'), moment);
  t.is(parseInstant('2026-11-21T01:11:15.5z', 'down'), moment);
  t.is(parseInstant('2026-11-21t02:11:15.5+01:00', 'down'), moment);
});

test('digits past the microsecond are rounded down for an end and up for a start', (t) => {
  const moment = micros('2026-11-21T01:11:15.355823Z');
  const within = '2026-11-21T01:11:15.3558230001Z';

  t.is(parseInstant(within, 'down'), moment);
  t.is(parseInstant(within, 'up'), toTimestamp(moment + 1));
});

test('zeros past the microsecond change nothing', (t) => {
  const moment = micros('2026-11-21T01:11:15.355823Z');

  t.is(parseInstant('2026-11-21T01:11:15.355823000000000Z', 'down'), moment);
  t.is(parseInstant('2026-11-21T01:11:15.355823000000000Z', 'up'), moment);
});

test('rounding up carries into the second, the day and the year', (t) => {
  t.is(parseInstant('2026-12-31T23:59:59.9999999Z', 'up'), micros('2027-01-01T00:00:00.000000Z'));
});

test('an instant may have any number of fraction digits', (t) => {
  const moment = micros('2026-11-21T01:11:15.333333Z');
  const text = `2026-11-21T01:11:15.${'3'.repeat(100_000)}Z`;

  t.is(parseInstant(text, 'down'), moment);
  t.is(parseInstant(text, 'up'), toTimestamp(moment + 1));
});

test('an instant between two timestamps has one as its down and the other as its up', (t) => {
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 12 });

  fc.assert(
    fc.property(timestamps(), digits, (timestamp, more) => {
      const text = `${formatTimestamp(timestamp).slice(0, -1)}${more}Z`;
      const extra = /[1-9]/.test(more) && timestamp < last ? 1 : 0;
      return (
        parseInstant(text, 'down') === timestamp && parseInstant(text, 'up') === timestamp + extra
      );
    }),
  );
  t.pass();
});

test('the timestamp nearest to an instant before 1970 is the epoch', (t) => {
  for (const text of [
    '1969-12-31T23:59:59Z',
    '1969-12-31T23:59:59.9999991Z',
    '1900-06-01T00:00:00+14:00',
    '0000-01-01T00:00:00Z',
    '0000-01-01T00:00:00+23:59',
    '1970-01-01T00:59:59+01:00',
  ]) {
    t.is(parseInstant(text, 'down'), toTimestamp(0), text);
    t.is(parseInstant(text, 'up'), toTimestamp(0), text);
  }
});

test('the timestamp nearest to an instant after the last one is the last one', (t) => {
  for (const text of [
    '2255-06-05T23:47:34.740992Z',
    '2256-01-01T00:00:00Z',
    '9999-12-31T23:59:59.999999999Z',
    '9999-12-31T23:59:59-23:59',
  ]) {
    t.is(parseInstant(text, 'down'), toTimestamp(last), text);
    t.is(parseInstant(text, 'up'), toTimestamp(last), text);
  }
  t.is(parseInstant('2255-06-05T23:47:34.7409919Z', 'up'), toTimestamp(last));
});

test('an instant is a day of the calendar and a time of the clock, or it is refused', (t) => {
  fc.assert(
    fc.property(dateTimes(), fc.constantFrom('Z', '+01:30', '-12:00'), (text, offset) => {
      const isAccepted = parseInstant(text.slice(0, -1) + offset, 'down') !== undefined;
      return isAccepted === isOnCalendar(text);
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

for (const text of [
  '',
  'now',
  '2026',
  '2026-11-21',
  '2026-11-21T01:11Z',
  '2026-11-21T01:11:15',
  '2026-11-21 01:11:15Z',
  '2026-11-21T01:11:15.Z',
  '2026-11-21T01:11:15,5Z',
  '2026-11-21T01:11:15+0100',
  '2026-11-21T01:11:15+01',
  '2026-11-21T01:11:15+24:00',
  '2026-11-21T01:11:15+01:60',
  '2026-11-21T01:11:15 01:00',
  '2026-11-21T1:11:15Z',
  '26-11-21T01:11:15Z',
  '+002026-11-21T01:11:15Z',
  '-2026-11-21T01:11:15Z',
  '2026-11-21T01:11:15Z\n',
  ' 2026-11-21T01:11:15Z',
  '２026-11-21T01:11:15Z',
  '2026-02-30T00:00:00Z',
  '2026-02-30T00:00:00+02:00',
  '2026-02-29T00:00:00Z',
  '1900-02-29T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-01-32T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T24:00:00+02:00',
  '2026-01-01T00:60:00Z',
  '2026-12-31T23:59:60Z',
]) {
  test(`${JSON.stringify(text)} is not an instant`, (t) => {
    t.is(parseInstant(text, 'down'), undefined);
    t.is(parseInstant(text, 'up'), undefined);
  });
}

function micros(text: string): Timestamp {
  return toTimestamp(Date.parse(`${text.slice(0, 19)}Z`) * 1000 + Number(text.slice(20, 26)));
}

function timestamps(): fc.Arbitrary<Timestamp> {
  return fc
    .oneof(
      fc.maxSafeNat(),
      fc.nat(),
      fc.nat(9).map((less) => last - less),
    )
    .map(toTimestamp);
}

/** Timestamps that are a few microseconds away from a midnight, and any others. */
function aroundMidnight(): fc.Arbitrary<Timestamp> {
  const days = fc.integer({ min: 2, max: 104_000 });
  const away = fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.integer({ min: -86_400_000_000, max: 86_400_000_000 }),
  );
  return fc.tuple(days, away).map(([day, by]) => toTimestamp(day * 86_400_000_000 + by));
}

function offsets(): fc.Arbitrary<number> {
  return fc.integer({ min: -1439, max: 1439 });
}

function offsetText(minutes: number): string {
  const distance = Math.abs(minutes);
  const [hour, minute] = [Math.floor(distance / 60), distance % 60];
  return `${minutes < 0 ? '-' : '+'}${pad(hour, 2)}:${pad(minute, 2)}`;
}

/** Texts in the form of a timestamp, with years, days and times that may not exist. */
function dateTimes(): fc.Arbitrary<string> {
  const part = (max: number) => fc.oneof(fc.nat(max), fc.integer({ min: max - 2, max }));
  return fc
    .tuple(part(9999), part(13), part(32), part(25), part(61), part(61), fc.nat(999_999))
    .map(([year, month, day, hour, minute, second, fraction]) => {
      const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
      return `${date}T${pad(hour, 2)}:${pad(minute, 2)}:${pad(second, 2)}.${pad(fraction, 6)}Z`;
    });
}

/** The rules of the Gregorian calendar, told without Date. */
function isOnCalendar(text: string): boolean {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (
    text.match(/\d+/g) ?? []
  ).map(Number);
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return day >= 1 && day <= days && hour < 24 && minute < 60 && second < 60;
}

function mutated([timestamp, position, text]: [Timestamp, number, string]): string {
  const written = formatTimestamp(timestamp);
  return written.slice(0, position) + text + written.slice(position + 1);
}

function pad(value: number, length: number): string {
  return String(value).padStart(length, '0');
}
