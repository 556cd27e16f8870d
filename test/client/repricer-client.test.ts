import test from 'ava';
import { RepricerClient, UnreadableAnswer } from 'repricer/client';
import { collect, connectClient, problemOf } from './client-fixture.ts';
import { UnrulyProxy } from './unruly-proxy.ts';

test('a price is read with every digit, whatever the product is named', async (t) => {
  const { client, end } = await connectClient(t);
  const names = ['foo', 'a/b c?d#e', '%2e', '💶', '"price":1.50,', '__proto__', '..a'];
  for (const name of names) await client.reprice(name, '3.50');
  for (const name of names) await client.reprice(name, '999999999999.999999');

  for (const name of names) {
    const { timestamp, ...price } = await client.price(name);

    t.deepEqual(price, {
      productId: name,
      ...{ price: '999999999999.999999', previousPrice: '3.50' },
      ...{ version: 2, seq: names.length + names.indexOf(name) + 1 },
    });
    t.true(timestamp > 1e9 && timestamp < 1e10);
  }
  await end();
});

test('what no path can name is refused before it is asked for', async (t) => {
  const { client, proxy, end } = await connectClient(t);

  for (const id of ['', '.', '..', 'a\ud800']) {
    await t.throwsAsync(client.price(id), {
      instanceOf: TypeError,
      message: /is not a product id/,
    });
  }

  t.deepEqual(proxy.requests, []);
  await end();
});

test('a product, record or moment without a price is a problem, told once', async (t) => {
  const { client, proxy, end } = await connectClient(t);
  await client.reprice('foo', '3.50');
  proxy.requests.length = 0;

  const problems = await Promise.all([
    problemOf(t, client.price('bar')),
    problemOf(t, client.record(2)),
    problemOf(t, client.priceAt('foo', new Date(0))),
    problemOf(t, client.record(0)),
  ]);

  t.deepEqual(
    problems.map(({ status, type }) => `${status} ${type}`),
    [
      '404 /problems/unknown-product',
      '404 /problems/unknown-record',
      '404 /problems/no-price-yet',
      '400 /problems/bad-request',
    ],
  );
  t.is(proxy.requests.length, 4);
  await end();
});

test('a read is tried again when its answer is lost or broken, or the service is busy', async (t) => {
  const { client, proxy, end } = await connectClient(t);
  await client.reprice('foo', '3.50');
  proxy.willDo('lose the answer', { bytes: 20 }, { status: 503 }, 'lose the request');

  const { price } = await client.price('foo');

  t.is(price, '3.50');
  await end();
});

test('the price at a moment has the time in which it held', async (t) => {
  const { client, end } = await connectClient(t);
  const first = await client.reprice('foo', '3.50');
  const second = await client.reprice('foo', '3.60');

  const then = await client.priceAt('foo', first.timestamp);
  const now = await client.priceAt('foo', new Date(Date.now() + 86_400_000));

  t.like(then, { price: '3.50', version: 1, validFrom: then.timestamp, validTo: now.timestamp });
  t.like(now, { price: '3.60', previousPrice: '3.50', validTo: null });
  t.is(now.seq, second.seq);
  await end();
});

test('a history has exact figures, and null where there was no price', async (t) => {
  const { client, end } = await connectClient(t);
  const { timestamp } = await client.reprice('foo', '3.50');
  const from = new Date(Date.parse(timestamp) - 3_600_000);
  const to = new Date(Date.parse(timestamp) + 3_600_000);

  const { productId, buckets } = await client.history('foo', { from, to, interval: '1h' });

  t.is(productId, 'foo');
  t.is(buckets.length, 2);
  const none = { open: null, high: null, low: null, close: null, timeWeightedAverage: null };
  t.like(buckets[0], { ...none, from: from.getTime() / 1000, changes: 0 });
  t.like(buckets[1], { open: '3.50', high: '3.50', low: '3.50', close: '3.50', changes: 1 });
  t.is(buckets[1]?.timeWeightedAverage, '3.500000');
  await end();
});

test('a base address may have a path, and the links of a gateway with another one are followed', async (t) => {
  const proxy = await UnrulyProxy.open(t);
  const page = (seq: number) =>
    `[{"productId":"a","price":1.10,"timestamp":1,"previousPrice":null,"version":1,"seq":${seq}}]`;
  proxy.willDo(
    {
      status: 200,
      headers: { Link: '</p?cursor=p>; rel="prev", </other/query?a=1&cursor=n>; rel="next"' },
      body: page(1),
    },
    { status: 200, headers: { Link: '</p?cursor=p>; rel="prev"' }, body: page(2) },
  );
  const client = new RepricerClient(`${proxy.url}/prices`);

  const records = await collect(client.query({ order: 'desc' }));

  t.deepEqual(
    records.map(({ seq, price }) => [seq, price]),
    [
      [1, '1.10'],
      [2, '1.10'],
    ],
  );
  t.deepEqual(
    proxy.requests.map(({ url }) => url),
    ['/prices/api/v1/query?order=desc&pageSize=1000', '/prices/api/v1/query?a=1&cursor=n'],
  );
});

test('an answer that is not of Repricer is told as unreadable', async (t) => {
  const proxy = await UnrulyProxy.open(t);
  const client = new RepricerClient(proxy.url);

  for (const body of ['<html>', '', '[]', '{"productId":"a"}', 'null', '{"productId":']) {
    proxy.willDo({ status: 200, body });
    await t.throwsAsync(client.price('a'), { instanceOf: UnreadableAnswer }, body);
  }
});
