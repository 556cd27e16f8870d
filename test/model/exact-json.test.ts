import test from 'ava';
import fc from 'fast-check';
import { LosslessNumber, parse } from 'lossless-json';
import { ExactNumber, JsonError, parseExactJson } from '../../src/model/exact-json.ts';

const numbers = fc.stringMatching(/^-?(0|[1-9]\d{0,20})(\.\d{1,10})?([eE][+-]?\d{1,3})?$/);
const blanks = fc.stringMatching(/^[ \t\n\r]{0,2}$/);
const strings = fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text));

/** JSON texts of all forms, with blanks wherever they may be, and keys that stand twice. */
const { texts } = fc.letrec<{ texts: string }>((tie) => ({
  texts: fc.tuple(blanks, tie('value'), blanks).map((parts) => parts.join('')),
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('true', 'false', 'null'),
    numbers,
    strings,
    fc.array(tie('texts'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    fc.array(tie('member'), { maxLength: 4 }).map((members) => `{${members.join(',')}}`),
  ),
  member: fc
    .tuple(fc.oneof(strings, fc.constantFrom('"a"', '"b"')), tie('texts'))
    .map((parts) => parts.join(':')),
}));

/** What the reference makes of a text; undefined when it refuses it. */
function reference(text: string): { readonly value: unknown } | undefined {
  try {
    const parseNumber = (digits: string) => new LosslessNumber(digits);
    return { value: parse(text, undefined, { parseNumber }) };
  } catch {
    return undefined;
  }
}

function exactly(text: string): { readonly value: unknown } | 'a repeated key' | undefined {
  try {
    return { value: parseExactJson(text) };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return error.message.includes('the same key twice') ? 'a repeated key' : undefined;
  }
}

/** With numbers of either kind as their digits. */
function plain(value: unknown): unknown {
  if (value instanceof ExactNumber) return { digits: value.text };
  if (value instanceof LosslessNumber) return { digits: value.value };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value).map(([key, member]) => [key, plain(member)]);
}

test('every JSON text is read as lossless-json reads it, or refused where that refuses it', (t) => {
  let readCount = 0;
  fc.assert(
    fc.property(texts, (text) => {
      const found = exactly(text);
      // The reference takes [] and {} for the same.
      if (found === 'a repeated key') return;
      t.deepEqual(plain(found), plain(reference(text)), text);
      readCount += 1;
    }),
    { numRuns: 2000 },
  );
  t.true(readCount > 1000);
});

test('a text with a character more, less or changed is refused just where lossless-json refuses it', (t) => {
  const characters = fc.constantFrom(
    ...' \t\n\u0000\u001f"\\/{}[]:,-+.0123eEtfnu\u00e9\ud83d'.split(''),
  );
  let refusedCount = 0;
  fc.assert(
    fc.property(texts, fc.nat(), characters, fc.nat(2), (text, place, character, kind) => {
      const at = place % (text.length + 1);
      const changed =
        text.slice(0, at) + (kind > 0 ? character : '') + text.slice(at + (kind < 2 ? 1 : 0));
      const found = exactly(changed);
      if (found === 'a repeated key') return;
      t.deepEqual(plain(found), plain(reference(changed)), changed);
      if (found === undefined) refusedCount += 1;
    }),
    { numRuns: 5000 },
  );
  t.true(refusedCount > 500);
});

test('a key __proto__ is a key as any other', (t) => {
  const value = parseExactJson('{"__proto__":{"a":1},"b":2}') as object;

  t.deepEqual(Object.keys(value), ['__proto__', 'b']);
  t.is(Object.getPrototypeOf(value), Object.prototype);
});

for (const [text, message] of [
  ['', 'is not valid JSON (at position 0)'],
  ['{"a":1,}', 'is not valid JSON (at position 7)'],
  ['{"a":01}', 'is not valid JSON (at position 7)'],
  ['{"a":"\\x"}', 'is not valid JSON (at position 5)'],
  ['{"a":1,"a":2}', 'has the same key twice in one object (at position 8)'],
  ['['.repeat(100_000), 'is not valid JSON (it is nested too deeply)'],
] as const) {
  test(`${text.slice(0, 20)} is refused with its place`, (t) => {
    t.throws(() => parseExactJson(text), { instanceOf: JsonError, message });
  });
}

for (const [one, other] of [
  ['1', '1.0'],
  ['[]', '{}'],
  ['null', 'false'],
  ['{"b":[1,"x"]}', '{"b":[1,"y"]}'],
] as const) {
  test(`a key that stands for ${one} and for ${other} is refused, and for one of them twice is not`, (t) => {
    t.throws(() => parseExactJson(`{"a":${one},"a":${other}}`), { instanceOf: JsonError });
    for (const value of [one, other]) {
      t.deepEqual(
        parseExactJson(`{"a":${value},"a" : ${value}}`),
        parseExactJson(`{"a":${value}}`),
      );
    }
  });
}
