import test from 'ava';
import { RepricerError } from '../../../src/errors.ts';
import { toTimestamp } from '../../../src/model/timestamp.ts';
import { ask, hold, pointersOf, problemOf, startService } from '../http-fixture.ts';

const path = '/api/product/a%2Fb/history';
const noon = Date.UTC(2026, 10, 21, 12) * 1000;
const minutes = 'from=2026-11-21T12:00:00Z&to=2026-11-21T12:02:00Z&interval=1m';

test('a history is a product and its buckets, prices with their digits and times in seconds', async (t) => {
  const service = await startService(t);

  const { status, headers, text } = await ask(service, `${path}?${minutes}`);

  t.is(status, 200);
  t.is(headers['content-type'], 'application/json; charset=utf-8');
  t.is(headers['cache-control'], 'no-cache');
  t.is(
    text,
    '{"productId":"a/b","buckets":[' +
      '{"from":1795262400.000000,"to":1795262460.000000,"open":null,"high":null,"low":null,"close":null' +
      ',"changes":0,"timeWeightedAverage":null},' +
      '{"from":1795262460.000000,"to":1795262520.000000,"open":3.55,"high":3.55,"low":3.55,"close":3.55' +
      ',"changes":1,"timeWeightedAverage":3.550000}]}',
  );
});

test('a range is taken in microseconds, its ends rounded up', async (t) => {
  const service = await startService(t);

  await ask(
    service,
    `/api/v1/product/foo/history?from=2026-11-21T12:00:00.0000011Z&to=2026-11-21T13:00:00%2B00:00&interval=90s`,
  );

  t.deepEqual(service.ledger.ranges, [
    {
      from: toTimestamp(noon + 2),
      to: toTimestamp(noon + 3_600_000_000),
      intervalMicros: 90_000_000,
    },
  ]);
});

for (const [text, seconds] of [
  ['1s', 1],
  ['15m', 900],
  ['6h', 21_600],
  ['7d', 604_800],
  ['100000d', 8_640_000_000],
] as const) {
  test(`an interval of ${text} is ${seconds} seconds`, async (t) => {
    const service = await startService(t);

    const ends = 'from=2026-11-21T12:00:00Z&to=2026-11-21T12:10:00Z';
    await ask(service, `${path}?${ends}&interval=${text}`);

    t.is(service.ledger.ranges[0]?.intervalMicros, seconds * 1_000_000);
  });
}

test('a thousand buckets are answered, and one more is 400', async (t) => {
  const service = await startService(t);
  const query = (end: string) => `${path}?from=2026-11-21T12:00:00Z&to=${end}&interval=1s`;

  const most = await ask(service, query('2026-11-21T12:16:40Z'));
  const more = await ask(service, query('2026-11-21T12:16:40.000001Z'));

  t.is(most.status, 200);
  t.is(more.status, 400);
  t.deepEqual(problemOf(more).errors, [
    { pointer: '#/interval', detail: 'must cut the range into at most 1000 buckets' },
  ]);
});

test('a history begins and ends where it was asked to, or is 400 with the first and the last moment', async (t) => {
  const service = await startService(t);
  const query = (from: string, to: string) => `${path}?from=${from}&to=${to}&interval=100000d`;
  const [first, last] = ['1970-01-01T00:00:00.000000Z', '2255-06-05T23:47:34.740991Z'];
  const beyond = ['1969-12-31T23:59:59.999999Z', '2255-06-05T23:47:34.740992Z'] as const;

  const widest = await ask(service, query(first, last));
  const wider = await ask(service, query(...beyond));
  const before = await ask(service, query('1900-01-01T00:00:00Z', '1960-01-01T00:00:00Z'));

  t.is(widest.status, 200);
  t.deepEqual(service.ledger.ranges, [
    {
      from: toTimestamp(0),
      to: toTimestamp(Number.MAX_SAFE_INTEGER),
      intervalMicros: 8_640_000_000_000_000,
    },
  ]);
  const detail = `must be from ${first} to ${last}`;
  for (const answer of [wider, before]) {
    t.is(answer.status, 400);
    t.deepEqual(problemOf(answer).errors, [
      { pointer: '#/from', detail },
      { pointer: '#/to', detail },
    ]);
  }
});

for (const [name, query, pointers] of [
  ['no parameter', '', ['#/from', '#/to', '#/interval']],
  ['no interval', minutes.replace('&interval=1m', ''), ['#/interval']],
  ['an interval of 0', minutes.replace('1m', '0m'), ['#/interval']],
  ['an interval without a unit', minutes.replace('1m', '60'), ['#/interval']],
  ['an interval of months', minutes.replace('1m', '1M'), ['#/interval']],
  ['an interval in ISO 8601', minutes.replace('1m', 'PT1M'), ['#/interval']],
  ['an interval past the longest', minutes.replace('1m', '100001d'), ['#/interval']],
  ['a start in another form', minutes.replace('2026-11-21T12:00:00Z', 'noon'), ['#/from']],
  ['an end in another form', minutes.replace('2026-11-21T12:02:00Z', '13:00'), ['#/to']],
  ['an empty range', minutes.replace('12:02', '12:00'), ['#/to']],
  ['an end before the start', minutes.replace('12:02', '11:00'), ['#/to']],
  ['an end twice', `${minutes}&to=2026-11-21T12:02:00Z`, ['#/to']],
  ['a misspelt parameter', `${minutes}&order=desc`, ['#/order']],
] as const) {
  test(`a history with ${name} is 400 and names the parameter`, async (t) => {
    const service = await startService(t);

    const answer = await ask(service, `${path}?${query}`);

    t.is(answer.status, 400);
    t.is(problemOf(answer).type, '/problems/bad-request');
    t.deepEqual(pointersOf(answer), [...pointers]);
    t.deepEqual(service.ledger.ranges, []);
  });
}

test('the history of a product without a price is 404', async (t) => {
  const service = await startService(t);
  service.ledger.current = new RepricerError('UNKNOWN_PRODUCT', 'it has no price');

  const answer = await ask(service, `${path}?${minutes}`);

  t.is(answer.status, 404);
  t.like(problemOf(answer), { type: '/problems/unknown-product', detail: 'it has no price' });
});

test('a client that takes no JSON gets 406 for a history', async (t) => {
  const service = await startService(t);

  const { status } = await ask(service, `${path}?${minutes}`, { headers: { accept: 'text/csv' } });

  t.is(status, 406);
});

test('one history more than may be read in parallel is 503', async (t) => {
  const service = await startService(t, { readsMax: 1 });
  const gate = hold();
  service.ledger.gate = gate.promise;

  const first = ask(service, `${path}?${minutes}`);
  while (service.ledger.ranges.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const refused = await ask(service, `${path}?${minutes}`);
  gate.release();

  t.is(refused.status, 503);
  t.is(refused.headers['retry-after'], '1');
  t.is(problemOf(refused).type, '/problems/too-many-reads');
  t.is((await first).status, 200);
});
