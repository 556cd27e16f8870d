import test from 'ava';
import { RepricerError } from '../../../src/errors.ts';
import { toTimestamp } from '../../../src/model/timestamp.ts';
import { productId } from '../../support/records.ts';
import { ask, hold, pointersOf, problemOf, startService } from '../http-fixture.ts';

const path = '/api/product/foo/price';

test('the price at a moment is the price with the time that it held', async (t) => {
  const service = await startService(t);
  service.ledger.validTo = toTimestamp(1_795_223_480_000_001);

  const { status, headers, text } = await ask(service, `${path}?at=2026-11-21T12:00:00.0000019Z`);

  t.is(status, 200);
  t.is(headers['content-type'], 'application/json; charset=utf-8');
  t.is(headers['cache-control'], 'no-cache');
  t.is(
    text,
    '{"productId":"foo","price":3.55,"timestamp":1795223475.355823,"previousPrice":3.50,"version":12,"seq":8001' +
      ',"validFrom":1795223475.355823,"validTo":1795223480.000001}',
  );
  t.deepEqual(service.ledger.moments, [toTimestamp(Date.UTC(2026, 10, 21, 12) * 1000 + 1)]);
});

test('a price that nothing has replaced holds to null', async (t) => {
  const service = await startService(t);

  const { text } = await ask(service, `/api/v1/product/foo/price?at=2026-11-21T12:00:00%2B01:00`);

  t.regex(text, /"validFrom":1795223475\.355823,"validTo":null\}$/);
});

test('the price at a moment has no ETag, as the version stays when validTo comes', async (t) => {
  const service = await startService(t);

  const headers = { 'if-none-match': '"12"' };
  const answer = await ask(service, `${path}?at=2026-11-21T12:00:00Z`, { headers });

  t.is(answer.status, 200);
  t.is(answer.headers.etag, undefined);
});

test('without a moment the price is the current one', async (t) => {
  const service = await startService(t);

  const { headers } = await ask(service, path);

  t.is(headers.etag, '"12"');
  t.deepEqual(service.ledger.moments, []);
  t.deepEqual(service.ledger.products, [productId('foo')]);
});

for (const [name, query, problem] of [
  ['a moment in another form', 'at=yesterday', '#/at'],
  ['an empty moment', 'at=', '#/at'],
  ['a moment on no calendar', 'at=2026-02-30T00:00:00Z', '#/at'],
  ['two moments', 'at=2026-11-21T12:00:00Z&at=2026-11-21T13:00:00Z', '#/at'],
  ['a misspelt parameter', 'At=2026-11-21T12:00:00Z', '#/At'],
] as const) {
  test(`${name} is 400 and names the parameter`, async (t) => {
    const service = await startService(t);

    const answer = await ask(service, `${path}?${query}`);

    t.is(answer.status, 400);
    t.is(problemOf(answer).type, '/problems/bad-request');
    t.deepEqual(pointersOf(answer), [problem]);
    t.deepEqual([service.ledger.moments, service.ledger.products], [[], []]);
  });
}

for (const [code, type] of [
  ['UNKNOWN_PRODUCT', '/problems/unknown-product'],
  ['NO_PRICE_YET', '/problems/no-price-yet'],
] as const) {
  test(`${code} is 404 with a type and a detail of its own`, async (t) => {
    const service = await startService(t);
    service.ledger.current = new RepricerError(code, `this is ${code}`);

    const answer = await ask(service, `${path}?at=2026-11-21T12:00:00Z`);

    t.is(answer.status, 404);
    t.like(problemOf(answer), { type, detail: `this is ${code}` });
  });
}

test('prices at a moment and current prices share one limit of parallel reads', async (t) => {
  const service = await startService(t, { readsMax: 1 });
  const gate = hold();
  service.ledger.gate = gate.promise;

  const first = ask(service, `${path}?at=2026-11-21T12:00:00Z`);
  while (service.ledger.moments.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const refused = await ask(service, path);
  gate.release();

  t.is(refused.status, 503);
  t.is(problemOf(refused).type, '/problems/too-many-reads');
  t.is((await first).status, 200);
});
