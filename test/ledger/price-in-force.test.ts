import test from 'ava';
import { priceInForce } from '../../src/ledger/price-in-force.ts';
import type { PriceRecord } from '../../src/model/price-record.ts';
import { type Timestamp, toTimestamp } from '../../src/model/timestamp.ts';
import { RecordList, randomRecords } from '../support/record-list.ts';
import { noon, RecordSource } from '../support/records.ts';
import { SeededRandom } from '../support/seeded-random.ts';

test('a price is in force from its own microsecond up to, without, that of the next', async (t) => {
  const source = new RecordSource();
  const [first, second] = [...source.batch('a'), ...source.batch('a')] as [
    PriceRecord,
    PriceRecord,
  ];
  const records = new RecordList([
    { ...first, timestamp: at(10) },
    { ...second, timestamp: at(20) },
  ]);

  const found = await Promise.all(
    [9, 10, 19, 20, 1e9].map((micros) => priceInForce(records, at(micros))),
  );

  t.deepEqual(
    found.map((price) => price && [price.record.version, price.validTo]),
    [undefined, [1, at(20)], [1, at(20)], [2, null], [2, null]],
  );
});

test('the last of all timestamps finds the last price', async (t) => {
  const records = new RecordList(new RecordSource().batch('a', 'a'));

  const found = await priceInForce(records, toTimestamp(Number.MAX_SAFE_INTEGER));

  t.is(found?.record.seq, 2);
});

for (let number = 0; number < 20; number += 1) {
  test(`at any moment the price is the last one at or before it, also among equal timestamps (${number})`, async (t) => {
    const random = SeededRandom.forTest(t, number);
    const records = randomRecords(random, random.integer(30));
    const last = (records.at(-1)?.timestamp ?? noon) + 3;

    for (let moment = noon - 2; moment < last; moment += 1) {
      const found = await priceInForce(new RecordList(records), toTimestamp(moment));

      const record = records.findLast(({ timestamp }) => timestamp <= moment);
      const validTo = records.find(({ timestamp }) => timestamp > moment)?.timestamp ?? null;
      t.deepEqual(found, record && { record, validTo });
    }
  });
}

function at(micros: number): Timestamp {
  return toTimestamp(noon + micros);
}
