import test from 'ava';
import fc from 'fast-check';
import type { PriceRecord } from '../../src/model/price-record.ts';
import { toTimestamp } from '../../src/model/timestamp.ts';
import { BadRecord, decodeRecord, encodeRecord } from '../../src/storage/record.ts';
import { noon, price, productId, RecordSource } from '../support/records.ts';

const anyPrice = fc
  .tuple(fc.integer({ min: 1, max: 999_999_999_999 }), fc.integer({ min: 0, max: 999_999 }))
  .map(([integer, fraction]) => price(`${integer}.${fraction}`));

const anyText = fc
  .string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
  .filter((text) => !/\p{Cc}|[\u2028\u2029\u200e\u200f]/u.test(text) && text.trim().length > 1);

const anyRecord: fc.Arbitrary<PriceRecord> = fc
  .record({
    seq: fc.integer({ min: 1, max: 1e12 }),
    version: fc.integer({ min: 2, max: 1e9 }),
    name: anyText,
    previousPrice: anyPrice,
    newPrice: anyPrice,
    micros: fc.integer({ min: 0, max: 4e15 }),
    source: fc.option(anyText),
    reason: fc.option(anyText),
    actor: fc.option(fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,47}$/)),
    isFirstOfMany: fc.boolean(),
  })
  .map(
    ({
      seq,
      version,
      name,
      previousPrice,
      newPrice,
      micros,
      source,
      reason,
      actor,
      isFirstOfMany,
    }) => ({
      seq,
      batch: seq,
      productId: productId(name),
      version,
      previousPrice,
      newPrice,
      timestamp: toTimestamp(micros),
      ...(source !== null && { source }),
      ...(reason !== null && { reason }),
      ...(actor !== null && { actor }),
      ...(isFirstOfMany && { batchSize: 2 }),
    }),
  );

test('a record reads back as it was written, whatever its texts and digits are', (t) => {
  fc.assert(
    fc.property(anyRecord, (record) => {
      const line = encodeRecord(record);
      t.deepEqual(decodeRecord(Buffer.from(line.slice(0, -1))), record);
    }),
  );
});

test('the line is the one that the format describes, to the byte', (t) => {
  const [first] = new RecordSource().batch('foo');

  const line = first && encodeRecord({ ...first, currency: 'EUR', source: 'a "b"', reason: 'ü' });
  const signed = first && encodeRecord({ ...first, idempotencyKey: 'k', actor: 'crawler' });

  t.is(
    line,
    '{"seq":1,"batch":1,"productId":"foo","version":1,"previousPrice":null,"newPrice":1.50,' +
      '"timestamp":"2026-11-21T12:00:00.000001Z","currency":"EUR","source":"a \\"b\\"",' +
      '"reason":"ü","crc":"c891d6a9"}\n',
  );
  t.is(
    signed,
    '{"seq":1,"batch":1,"productId":"foo","version":1,"previousPrice":null,"newPrice":1.50,' +
      '"timestamp":"2026-11-21T12:00:00.000001Z","idempotencyKey":"k","actor":"crawler",' +
      '"crc":"214ca031"}\n',
  );
});

test('a line with any one bit flipped is no record', (t) => {
  const line = Buffer.from(encodeRecord(new RecordSource().batch('foo', 'bar')[0] as PriceRecord));
  const record = line.subarray(0, -1);

  const accepted = [];
  for (let bit = 0; bit < record.length * 8; bit += 1) {
    const flipped = Buffer.from(record);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    if (!(decodeRecord(flipped) instanceof BadRecord)) accepted.push(bit);
  }

  t.deepEqual(accepted, []);
});

test('a line with a right checksum that breaks a rule of the format is no record', (t) => {
  const good = {
    seq: 5,
    batch: 5,
    productId: productId('foo'),
    version: 2,
    previousPrice: price('1.0'),
    newPrice: price('2.0'),
    timestamp: noon,
  };
  const broken: readonly object[] = [
    { seq: 0 },
    { batch: 6 },
    { version: 0 },
    { version: 1 },
    { previousPrice: null },
    { newPrice: '0.0' },
    { newPrice: '2' },
    { productId: '..' },
    { batchSize: 1 },
    { seq: 6, batchSize: 2 },
  ];

  t.false(decodeLine(good) instanceof BadRecord);
  for (const change of broken) {
    t.true(
      decodeLine({ ...good, ...change } as PriceRecord) instanceof BadRecord,
      JSON.stringify(change),
    );
  }
});

test('a line of the longest texts that a request may give is not too long', (t) => {
  const record: PriceRecord = {
    seq: 1e12,
    batch: 1e12,
    productId: productId('😀'.repeat(256)),
    version: 1e12,
    previousPrice: price('999999999999.999999'),
    newPrice: price('999999999999.999999'),
    timestamp: noon,
    currency: 'EUR',
    source: '😀'.repeat(200),
    reason: '😀'.repeat(200),
    idempotencyKey: '"'.repeat(255),
    actor: 'x'.repeat(48),
    batchSize: 1000,
  };

  t.deepEqual(decodeRecord(Buffer.from(encodeRecord(record).slice(0, -1))), record);
});

function decodeLine(record: PriceRecord): PriceRecord | BadRecord {
  return decodeRecord(Buffer.from(encodeRecord(record).slice(0, -1)));
}
