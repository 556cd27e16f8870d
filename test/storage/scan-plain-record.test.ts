import test from 'ava';
import fc from 'fast-check';
import { matchRecord } from '../../src/storage/match-record.ts';
import { scanPlainRecord } from '../../src/storage/scan-plain-record.ts';

const plain =
  '{"seq":8001,"batch":8000,"productId":"foo","version":12,"previousPrice":3.50,"newPrice":3.55,' +
  '"timestamp":"2026-11-21T01:11:15.355823Z"';

const fields = {
  seq: 8001,
  batch: 8000,
  productId: 'foo',
  version: 12,
  previousPrice: '3.50',
  newPrice: '3.55',
  timestamp: '2026-11-21T01:11:15.355823Z',
};

function scan(text: string, end = Buffer.byteLength(text)) {
  return scanPlainRecord(Buffer.from(text), end);
}

test('a plain line is read as it was written', (t) => {
  t.deepEqual(scan(plain), fields);
  t.deepEqual(scan(`${plain},"batchSize":3`), { ...fields, batchSize: 3 });
  t.deepEqual(scan(`${plain},"crc":"9ae3c210"}`, plain.length), fields);
  t.like(scan(plain.replace('3.50', 'null')), { previousPrice: 'null' });
});

test('a line that is not plain is left to the pattern', (t) => {
  const others = [
    '',
    plain.slice(0, -1),
    `${plain}}`,
    `${plain},"currency":"EUR"`,
    `${plain},"batchSize":`,
    `${plain},"batchSize":1234567890123456`,
    plain.replace('foo', 'f\\"o'),
    plain.replace('foo', 'f\\u0041o'),
    plain.replace('foo', 'fü'),
    plain.replace('8001', ''),
    plain.replace('8001', '-1'),
    plain.replace('8001', '1e3'),
  ];

  t.deepEqual(
    others.filter((text) => scan(text) !== undefined),
    [],
  );
});

const usual = <Value>(arbitrary: fc.Arbitrary<Value>) => ({ arbitrary, weight: 9 });
const id = fc.oneof(
  usual(fc.stringMatching(/^[a-z0-9/ -]{1,20}$/)),
  fc.string({ unit: 'grapheme-ascii' }),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const decimal = fc.oneof(
  usual(fc.stringMatching(/^(null|\d{1,12}\.\d{1,6})$/)),
  fc.stringMatching(/^\d{1,13}(\.\d{0,7})?$/),
);

const line = fc
  .record({
    numbers: fc.array(fc.integer({ min: 0, max: 1e15 }), { minLength: 3, maxLength: 3 }),
    id,
    prices: fc.array(decimal, { minLength: 2, maxLength: 2 }),
    micros: fc.stringMatching(/^\d{6}$/),
    rest: fc.constantFrom('', '', ',"batchSize":2', ',"source":"a"', ',"batchSize":0,"x":1'),
  })
  .map(
    ({ numbers: [seq, batch, version], id, prices: [previous, price], micros, rest }) =>
      `{"seq":${seq},"batch":${batch},"productId":${JSON.stringify(id)},"version":${version},` +
      `"previousPrice":${previous},"newPrice":${price},` +
      `"timestamp":"2026-11-21T01:11:15.${micros}Z"${rest}`,
  );

const damaged = fc
  .record({ line, at: fc.nat(200), length: fc.nat(3), put: fc.string({ maxLength: 2 }) })
  .map(({ line, at, length, put }) => line.slice(0, at) + put + line.slice(at + length));

test('what the scan reads is what the pattern reads, or a value that no rule lets pass', (t) => {
  let read = 0;

  fc.assert(
    fc.property(fc.oneof(line, damaged), (text) => {
      const scanned = scan(text);
      if (scanned === undefined) return;
      const matched = matchRecord(text);
      if (matched === undefined) {
        t.true(hasForbiddenValue(scanned), text);
      } else {
        read += 1;
        t.deepEqual({ texts: {}, ...scanned }, matched, text);
      }
    }),
    { numRuns: 5000 },
  );

  t.true(read > 500, `${read} were read by both`);
});

/** Whether a price or the timestamp has characters, or a length, that the pattern does not take. */
function hasForbiddenValue({ previousPrice, newPrice, timestamp }: typeof fields): boolean {
  const isPriceText = (text: string) => /^[\d.]{3,19}$/.test(text);
  const isPrevious = previousPrice === 'null' || isPriceText(previousPrice);
  return !isPrevious || !isPriceText(newPrice) || timestamp.length !== 27;
}
