import { Ajv2020 } from 'ajv/dist/2020.js';
import test from 'ava';
import fc from 'fast-check';
import { hasCode } from '../../../src/errors.ts';
import { countForm } from '../../../src/http/input/count-form.ts';
import { instantForm, rangeEndForm } from '../../../src/http/input/instant-form.ts';
import { intervalForm } from '../../../src/http/input/interval-form.ts';
import type { ParameterForm } from '../../../src/http/input/query-parameters.ts';
import { truthForm } from '../../../src/http/input/truth-form.ts';
import { namedSchemas } from '../../../src/http/openapi/named-schemas.ts';
import { orderForm, productIdForm } from '../../../src/http/read/price-query-parameters.ts';
import { parseBatchLine } from '../../../src/http/write/price-update-body.ts';

/* What a schema says of a value is what the code that parses it says. */

const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i;
const ajv = new Ajv2020({ strict: false, formats: { 'date-time': dateTime } });

/** Texts near the edges of what is taken, and any others. */
const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('0', '1', '9', '.', '-', 'e'), maxLength: 22 }),
  fc.string({ unit: fc.constantFrom('.', ' ', '\t', '\ufeff', '\u2028', '\u202e', '\ud800', '/') }),
  fc.stringMatching(/^[0-9]{1,12}\.[0-9]{1,6}$/),
  fc.constantFrom('é', '💶').chain((unit) => fc.nat(300).map((count) => unit.repeat(count))),
  fc.nat(300).map((count) => 'a'.repeat(count)),
  fc.constantFrom('', '.', '..', '...', ' ', '0', '1', '0.0', '01', '1.', '.5', '1e3'),
);

const fields: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  productId: fc.oneof(texts, fc.constantFrom(null, 1, [], {})),
  price: fc.oneof(
    texts,
    fc.constantFrom(null, true, 0, -1, 1, 0.5, 3.55, 999999999999, 1000000000000),
  ),
  source: fc.oneof(texts, fc.constantFrom(null, 1)),
  reason: texts,
  expectedPreviousPrice: fc.oneof(texts, fc.constantFrom(null, 0, 1, false)),
  idempotencyKey: fc.oneof(texts, fc.stringMatching(/^[!-~]{0,260}$/)),
};

for (const [name, values] of Object.entries(fields)) {
  test(`the schema takes just those values of ${name} that are taken`, (t) => {
    const isValid = ajv.compile(namedSchemas['BatchLine'] ?? false);

    fc.assert(
      fc.property(values, (value) => {
        const line = { productId: 'foo', price: 1, [name]: value };
        t.is(isValid(line), isTaken(JSON.stringify(line)), JSON.stringify(value));
      }),
      { numRuns: 500 },
    );
  });
}

test('what is no currency by the schema is not taken', (t) => {
  const isValid = ajv.compile(namedSchemas['BatchLine'] ?? false);

  for (const currency of ['EUR', 'USD', 'XAU', 'eur', 'EURO', 'ZZZ', '', 1, null]) {
    const line = { productId: 'foo', price: 1, currency };
    if (isTaken(JSON.stringify(line))) t.true(isValid(line), String(currency));
  }
  t.true(isValid({ productId: 'foo', price: 1, currency: 'EUR' }));
});

const forms: Readonly<Record<string, readonly [ParameterForm<unknown>, fc.Arbitrary<string>]>> = {
  'a product id': [productIdForm, texts],
  'a count': [countForm(1000), fc.oneof(fc.integer({ min: -2, max: 1002 }).map(String), texts)],
  'an order': [orderForm, fc.constantFrom('asc', 'desc', 'ASC', '')],
  'a truth': [truthForm, fc.constantFrom('true', 'false', 'TRUE', '1', '')],
};

for (const [name, [form, values]] of Object.entries(forms)) {
  test(`the schema takes just those texts that are taken as ${name}`, (t) => {
    const isValid = ajv.compile(form.schema);

    fc.assert(
      fc.property(values, (text) => {
        t.is(isValid(readAs(text, form.schema['type'])), form.parse(text) !== undefined, text);
      }),
      { numRuns: 500 },
    );
  });
}

test('whatever is taken as a moment or an interval is one by the schema', (t) => {
  const momentsTo = (last: string) =>
    fc.date({ min: new Date(0), max: new Date(last), noInvalidDate: true });
  const moments = fc.oneof(momentsTo('2255-06-05'), momentsTo('9999-12-31'));
  const offsets = fc.constantFrom('Z', 'z', '+01:00', '-23:59');
  const written = fc
    .tuple(moments, offsets)
    .map(([moment, offset]) => moment.toISOString().replace('Z', offset));
  const intervals = fc.tuple(fc.nat(10_000_000), fc.constantFrom('s', 'm', 'h', 'd')).map(String);

  for (const [form, values] of [
    [instantForm('up'), fc.oneof(written, texts)],
    [rangeEndForm, fc.oneof(written, texts)],
    [
      intervalForm,
      fc.oneof(
        intervals.map((text) => text.replace(',', '')),
        texts,
      ),
    ],
  ] as const) {
    const isValid = ajv.compile(form.schema);
    let takenCount = 0;
    fc.assert(
      fc.property(values, (text) => {
        if (form.parse(text) === undefined) return;
        takenCount += 1;
        t.true(isValid(text), text);
      }),
    );
    t.true(takenCount > 10);
  }
});

function isTaken(line: string): boolean {
  try {
    parseBatchLine(Buffer.from(line));
    return true;
  } catch (error) {
    if (!hasCode(error, 'BAD_REQUEST')) throw error;
    return false;
  }
}

/** A text as its type reads it; what it cannot read stays text. */
function readAs(text: string, type: unknown): unknown {
  if (type === 'boolean') return { true: true, false: false }[text] ?? text;
  return type === 'integer' && /^[1-9][0-9]*$/.test(text) ? Number(text) : text;
}
