import test from 'ava';
import fc from 'fast-check';
import { isProductId, productIdProblem } from '../../src/model/product-id.ts';

const lengthRule = 'must be at most 256 characters long';
const blankRule = 'must not be empty or only white space';
const dotsRule = 'must not be "." or ".."';
const surrogateRule = 'must be well-formed Unicode, without lone surrogates';
const characterRule =
  'must not contain control, bidirectional control or line separator characters';

const accepted: Readonly<Record<string, string>> = {
  'one letter': 'a',
  'a slash': 'shoes/red',
  'only a slash': '/',
  'a way out of the directory': '../../etc/passwd',
  'three dots': '...',
  'a percent sign': '100%',
  'a percent-encoded slash': '%2F',
  'an object key with a meaning': '__proto__',
  'a quote and a backslash': '"\\',
  'spaces around a letter': ' a ',
  'an exotic space between letters': 'a\u3000b',
  '256 letters': 'a'.repeat(256),
  '256 emoji, which are 512 code units': '😀'.repeat(256),
  'a family emoji, joined of several characters': '👩‍👩‍👧',
  'a letter and a combining mark': 'e\u0301',
  'letters that are written from right to left': 'מחיר',
  'the last character of Unicode': '\u{10FFFF}',
};

for (const [description, id] of Object.entries(accepted)) {
  test(`${description} is a product id`, (t) => {
    t.is(productIdProblem(id), undefined);
    t.true(isProductId(id));
  });
}

const refused: Readonly<Record<string, readonly [value: unknown, rule: string]>> = {
  'the empty text': ['', blankRule],
  'one dot': ['.', dotsRule],
  'two dots': ['..', dotsRule],
  '257 letters': ['a'.repeat(257), lengthRule],
  '257 emoji': ['😀'.repeat(257), lengthRule],
  '256 emoji and a letter': [`${'😀'.repeat(256)}a`, lengthRule],
  'a lone high surrogate': ['a\uD83D', surrogateRule],
  'a lone low surrogate': ['\uDE00a', surrogateRule],
  'surrogates in the wrong order': ['\uDE00\uD83D', surrogateRule],
  'a number': [1, 'must be a string'],
  null: [null, 'must be a string'],
  nothing: [undefined, 'must be a string'],
  'an array with a product id': [['a'], 'must be a string'],
};

for (const [description, [value, rule]] of Object.entries(refused)) {
  test(`${description} is refused: a product id ${rule}`, (t) => {
    t.is(productIdProblem(value), rule);
    t.false(isProductId(value));
  });
}

test('a product id has no control character', (t) => {
  for (const code of [...codes(0x00, 0x1f), ...codes(0x7f, 0x9f)]) {
    t.is(productIdProblem(`a${String.fromCharCode(code)}b`), characterRule, `U+${hex(code)}`);
  }
});

test('a product id has no character that turns the reading direction around', (t) => {
  const controls = [0x061c, 0x200e, 0x200f, ...codes(0x202a, 0x202e), ...codes(0x2066, 0x2069)];

  for (const code of controls) {
    t.is(productIdProblem(`a${String.fromCharCode(code)}b`), characterRule, `U+${hex(code)}`);
  }
});

test('a product id has no line or paragraph separator', (t) => {
  t.is(productIdProblem('a\u2028b'), characterRule);
  t.is(productIdProblem('a\u2029b'), characterRule);
});

test('a product id is not only white space, of whatever kind', (t) => {
  const spaces = [0x20, 0xa0, 0x1680, ...codes(0x2000, 0x200a), 0x202f, 0x205f, 0x3000, 0xfeff];

  for (const code of spaces) {
    t.is(productIdProblem(String.fromCharCode(code).repeat(3)), blankRule, `U+${hex(code)}`);
  }
  t.is(productIdProblem(' \t\n\u3000'), blankRule);
});

test('a product id of up to 256 characters is one, whatever else they are', (t) => {
  const harmless = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 256 })
    .filter((text) => /\S/.test(text) && !/^\.\.?$/.test(text))
    .filter((text) => !/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u.test(text));

  fc.assert(fc.property(harmless, isProductId));
  t.pass();
});

test('a text with one forbidden character is refused wherever that stands', (t) => {
  const forbidden = fc.constantFrom('\0', '\n', '\u0085', '\u200F', '\u202E', '\u2028', '\uD800');
  const around = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 100 });

  fc.assert(
    fc.property(around, forbidden, around, (before, character, after) => {
      return !isProductId(before + character + after);
    }),
  );
  t.pass();
});

test('a text of ten million characters is refused without walking it', (t) => {
  const text = '😀'.repeat(5_000_000);
  const start = performance.now();

  const problems = Array.from({ length: 1000 }, () => productIdProblem(text));

  // A thousand walks over it would take many seconds.
  t.true(performance.now() - start < 1000);
  t.deepEqual(new Set(problems), new Set([lengthRule]));
});

function codes(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function hex(code: number): string {
  return code.toString(16).toUpperCase().padStart(4, '0');
}
