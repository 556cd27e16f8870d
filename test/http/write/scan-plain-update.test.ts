import test from 'ava';
import fc from 'fast-check';
import { codeOf } from '../../../src/errors.ts';
import { parsePriceUpdate } from '../../../src/http/write/price-update-body.ts';
import { scanPlainUpdate } from '../../../src/http/write/scan-plain-update.ts';

test('a reprice of the plain form is read as it was written', (t) => {
  const texts = [
    '{"productId":"p1","price":3.50}',
    '{"productId": "p1", "price": 3.50}',
    '{"productId":"p1", "price": 3.50}',
  ];

  for (const text of texts) {
    t.deepEqual(scanPlainUpdate(Buffer.from(text)), { productId: 'p1', price: '3.50' }, text);
  }
});

const ids = fc.oneof(
  fc.string({ unit: 'grapheme-ascii', maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.constantFrom('p1', '.', '..', ' ', 'a b', 'x'.repeat(257), 'ü', '\u2028', '\\u0041'),
);
const prices = fc.oneof(
  fc.stringMatching(/^[0-9.]{0,8}$/),
  fc.stringMatching(/^(0|[1-9]\d{0,12})(\.\d{1,7})?$/),
  fc.constantFrom('-1', '1e2', '"3.50"', 'null', '01', '1.', '.5', '0.0', '+1'),
);
const blanks = fc.oneof(
  { arbitrary: fc.constantFrom('', ' '), weight: 20 },
  { arbitrary: fc.constantFrom('  ', '\t', '\n'), weight: 1 },
);

/** Texts that are plain, nearly plain, or no reprice at all. */
const texts = fc
  .record({ id: ids, price: prices, gaps: fc.array(blanks, { minLength: 5, maxLength: 5 }) })
  .chain(({ id, price, gaps: [a, b, c, d, e] }) => {
    const usual = `{"productId":${b}${JSON.stringify(id)},${c}"price":${d}${price}}`;
    const spaced = `${e}{${a}${usual.slice(1)}${e}`;
    return fc.oneof(fc.constantFrom(usual, usual, spaced), damaged(usual));
  });

function damaged(text: string): fc.Arbitrary<string> {
  return fc
    .record({ at: fc.nat(text.length), length: fc.nat(3), put: fc.string({ maxLength: 2 }) })
    .map(({ at, length, put }) => text.slice(0, at) + put + text.slice(at + length));
}

test('the plain form is no form of its own: its reader agrees with that of all JSON on every text', (t) => {
  let plain = 0;

  fc.assert(
    fc.property(texts, (text) => {
      if (scanPlainUpdate(Buffer.from(text)) !== undefined) plain += 1;

      // A blank before it changes nothing about a text but that it is not plain.
      t.deepEqual(outcomeOf(text), outcomeOf(` ${text}`));
    }),
    { numRuns: 5000 },
  );

  t.true(plain > 500, `${plain} texts were plain`);
});

function outcomeOf(text: string): unknown {
  try {
    return parsePriceUpdate(Buffer.from(text));
  } catch (error) {
    return codeOf(error);
  }
}
