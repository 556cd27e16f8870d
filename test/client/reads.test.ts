import test from 'ava';
import type { RepricerClient } from 'repricer/client';
import { collect, connectClient } from './client-fixture.ts';

test('a query gives every record of its range once, in order, whatever is written meanwhile', async (t) => {
  const { client, proxy, end } = await connectClient(t);
  await record(client, 500);
  proxy.willDo('lose the answer', { bytes: 500 }, { status: 503 });
  const seqs: number[] = [];

  for await (const { seq } of client.query({ order: 'desc', pageSize: 100 })) {
    seqs.push(seq);
    if (seq % 150 === 0) await client.reprice('later', '1.0');
  }

  t.deepEqual(
    seqs,
    Array.from({ length: 500 }, (_, index) => 500 - index),
  );
  await end();
});

test('a query keeps to its products and its time, with every digit', async (t) => {
  const { client, end } = await connectClient(t);
  await record(client, 100);
  const [from, to] = await Promise.all([client.record(11), client.record(60)]);

  const records = await collect(
    client.query({
      productIds: ['p1', 'p 2'],
      from: from.timestamp,
      to: to.timestamp,
      pageSize: 3,
    }),
  );

  t.true(records.length > 10);
  t.true(records.every(({ seq }) => seq >= 11 && seq <= 60));
  t.deepEqual(new Set(records.map(({ productId }) => productId)), new Set(['p1', 'p 2']));
  t.true(records.every(({ price, seq }) => price === `${seq}.50`));
  t.deepEqual(await collect(client.query({ productIds: ['none'] })), []);
  await end();
});

test('a listing has all products with a prefix, over all its pages', async (t) => {
  const { client, proxy, end } = await connectClient(t);
  const ids = Array.from({ length: 1500 }, (_, index) => `p ${index}`);
  await collect(client.repriceBatch(ids.map((productId) => ({ productId, price: '3.50' }))));
  await client.reprice('q', '1.0');
  const before = proxy.requests.length;

  const products = await collect(client.products('p '));
  const all = await collect(client.products());

  t.deepEqual(products.map(({ productId }) => productId).toSorted(), ids.toSorted());
  t.true(products.every(({ price }) => price === '3.50'));
  t.is(all.length, 1501);
  t.is(proxy.requests.length - before, 4);
  await end();
});

test('a product that a listing could not read in time is read by itself', async (t) => {
  const { client, proxy, end } = await connectClient(t);
  await client.reprice('slow', '3.50');
  proxy.willDo({ status: 200, body: '{"products":[],"pending":["slow"]}' });

  const products = await collect(client.products());

  t.deepEqual(products, [await client.price('slow')]);
  await end();
});

test('the prices of many products come with the names of those that have none', async (t) => {
  const { client, proxy, end } = await connectClient(t);
  await client.reprice('a', '3.50');
  await client.reprice('b', '4.50');
  proxy.willDo('lose the answer');

  const list = await client.prices(['b', 'none', 'a'], 10_000);

  t.deepEqual(list, {
    prices: [await client.price('b'), await client.price('a')],
    missing: ['none'],
    pending: [],
  });
  await end();
});

/** Records whose price tells their seq. */
async function record(client: RepricerClient, count: number): Promise<void> {
  const lines = Array.from({ length: count }, (_, index) => ({
    productId: index % 2 === 0 ? 'p1' : index % 3 === 0 ? 'p 2' : 'p3',
    price: `${index + 1}.50`,
  }));
  await collect(client.repriceBatch(lines));
}
