import test from 'ava';
import fc from 'fast-check';
import { decodeCursor, encodeCursor } from '../../../src/http/read/page-cursor.ts';
import type { Beside, PriceFilter } from '../../../src/ledger/price-query.ts';
import { noon, productId } from '../../support/records.ts';

const filter: PriceFilter = {
  productIds: [productId('a'), productId('b')],
  from: noon,
  to: noon,
  order: 'asc',
};

const besides = fc.record<Beside>({
  side: fc.constantFrom('before', 'after'),
  seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
});

test('a cursor gives the place that it was made for, and is short and needs no escaping', (t) => {
  fc.assert(
    fc.property(besides, (beside) => {
      const cursor = encodeCursor(beside, filter);

      t.deepEqual(decodeCursor(cursor, filter), beside);
      t.regex(cursor, /^[\w-]{30}$/);
    }),
  );
});

test('a cursor with any character changed, left out or added is none', (t) => {
  const characters = fc.constantFrom(...'ABYZabyz0189-_=+/ \n\0ü');
  fc.assert(
    fc.property(besides, fc.nat(30), characters, fc.nat(1), (beside, at, character, cut) => {
      const cursor = encodeCursor(beside, filter);
      const changed = cursor.slice(0, at) + character + cursor.slice(at + cut);
      fc.pre(changed !== cursor);

      t.is(decodeCursor(changed, filter), undefined);
      t.is(decodeCursor(cursor.slice(0, at % 30), filter), undefined);
    }),
    { numRuns: 1000 },
  );
});

test('text that was never a cursor is none', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
      t.is(decodeCursor(text, filter), undefined);
    }),
  );
});

test('a cursor is for the same products in any order, and for no other filter', (t) => {
  const cursor = encodeCursor({ side: 'after', seq: 5 }, filter);
  const { from: _from, ...withoutFrom } = filter;
  const { to: _to, ...withoutTo } = filter;

  t.truthy(decodeCursor(cursor, { ...filter, productIds: filter.productIds.toReversed() }));
  const others: readonly PriceFilter[] = [
    { ...filter, productIds: [] },
    { ...filter, productIds: [productId('a')] },
    { ...filter, productIds: [productId('a","b')] },
    { ...filter, order: 'desc' },
    { ...withoutFrom },
    { ...withoutTo },
  ];
  for (const other of others) t.is(decodeCursor(cursor, other), undefined, JSON.stringify(other));
});
