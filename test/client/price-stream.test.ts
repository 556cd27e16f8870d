import test from 'ava';
import type { RepricerClient } from 'repricer/client';
import { collect, connectClient, problemOf, taken } from './client-fixture.ts';

test('every record of before and of now comes once and in order, however often the feed breaks', async (t) => {
  const { client, proxy, end } = await connectClient(t);
  await record(client, 300);
  proxy.willDo('lose the request', { bytes: 1 }, { bytes: 19 }, { bytes: 30 }, { bytes: 333 });
  proxy.willDo({ status: 503 }, { bytes: 1000 }, { bytes: 5000 }, { bytes: 77 });

  const records = taken(client.stream({ after: 0 }), 400);
  await proxy.untilRequests(3);
  proxy.willDo({ bytes: 20_000 }, { bytes: 100 });
  await record(client, 100);

  t.deepEqual(
    (await records).map(({ seq }) => seq),
    Array.from({ length: 400 }, (_, index) => index + 1),
  );
  await end();
});

test('a record of the feed is the object that other reads show', async (t) => {
  const { client, end } = await connectClient(t);
  await client.reprice('foo', '3.50');
  await client.reprice('foo', '3.60');

  const records = await taken(client.stream({ after: 1 }), 1);

  t.deepEqual(records, [await client.price('foo')]);
  await end();
});

test('a stream from now on loses nothing when it breaks before its first record', async (t) => {
  const { client, proxy, end } = await connectClient(t);
  await client.reprice('foo', '3.50');
  const opening = 'retry: 2000\nid: 1\n\n'.length;
  proxy.willDo({ bytes: opening }, { status: 503, headers: { 'Retry-After': '1' } });

  const records = taken(client.stream(), 1);
  await proxy.untilRequests(3);
  await client.reprice('foo', '3.60');

  t.like((await records)[0], { seq: 2, price: '3.60' });
  await end();
});

test('a stream of some products has theirs only, and resumes behind what it did not show', async (t) => {
  const { client, proxy, end } = await connectClient(t, { streamHeartbeatMs: 50 });
  for (const product of ['a', 'b&c', 'x', 'a', 'x', 'x']) await client.reprice(product, '1.0');
  const before = proxy.requests.length;
  // Room for the events and some heartbeats, also for one that comes before the events were read.
  proxy.willDo({ bytes: 600, isSilent: true });

  const records = taken(client.stream({ after: 0, productIds: ['a', 'b&c'], heartbeatMs: 200 }), 4);
  await proxy.untilRequests(before + 2);
  await client.reprice('a', '2.0');

  t.deepEqual(
    (await records).map(({ seq }) => seq),
    [1, 2, 4, 7],
  );
  // On a busy machine a heartbeat may come late, and the same place be asked for again.
  const places = proxy.requests.slice(before).map(({ headers }) => headers['last-event-id']);
  t.deepEqual([...new Set(places)].slice(0, 2), ['0', '6']);
  await end();
});

test('a stream that the service ends is resumed from where it ended', async (t) => {
  const { client, proxy, end } = await connectClient(t);
  for (const price of ['1.0', '2.0', '3.0']) await client.reprice('a', price);
  const before = proxy.requests.length;
  proxy.willDo({
    status: 200,
    headers: { 'Content-Type': 'text/event-stream' },
    body: 'retry: 2000\nid: 0\n\nid: 2\nevent: end\ndata: {"reason":"stopping"}\n\n',
  });

  const records = await taken(client.stream({ after: 0 }), 1);

  t.is(records[0]?.seq, 3);
  t.is(proxy.requests[before + 1]?.headers['last-event-id'], '2');
  await end();
});

test('what comes twice is shown once', async (t) => {
  const { client, proxy, end } = await connectClient(t);
  for (const price of ['1.0', '2.0', '3.0']) await client.reprice('a', price);
  const event = (seq: number) =>
    `id: ${seq}\nevent: price\ndata: {"productId":"a","price":${seq}.0,"timestamp":1,` +
    `"previousPrice":null,"version":${seq},"seq":${seq}}\n\n`;
  proxy.willDo({ status: 200, body: `id: 0\n\n${event(1)}${event(2)}${event(1)}${event(2)}` });

  const records = await taken(client.stream({ after: 0 }), 3);

  t.deepEqual(
    records.map(({ seq }) => seq),
    [1, 2, 3],
  );
  await end();
});

test('a quiet stream with heartbeats is left alone', async (t) => {
  const { client, proxy, end } = await connectClient(t, { streamHeartbeatMs: 50 });

  const records = taken(client.stream({ after: 0, heartbeatMs: 1000 }), 1);
  await new Promise((resolve) => setTimeout(resolve, 3500));
  await client.reprice('a', '1.0');
  await records;

  t.deepEqual(
    proxy.requests.map(({ method }) => method),
    ['GET', 'POST'],
  );
  await end();
});

test('a place that the journal does not have is refused, and not asked for again', async (t) => {
  const { client, proxy, end } = await connectClient(t);

  const problem = await problemOf(t, collect(client.stream({ after: 1 })));

  t.is(problem.status, 400);
  t.is(proxy.requests.length, 1);
  await end();
});

test('a stream that is left or aborted lets its connection go', async (t) => {
  const { client, proxy, end } = await connectClient(t);
  await record(client, 3);
  const reason = new Error('enough');
  const controller = new AbortController();
  const { signal } = controller;
  const seqs: number[] = [];

  for await (const { seq } of client.stream({ after: 0 })) if (seq === 2) break;
  await proxy.untilNoneIsServed();
  const error = await t.throwsAsync(async () => {
    for await (const { seq } of client.stream({ after: 0, signal })) {
      seqs.push(seq);
      if (seq === 3) setImmediate(() => controller.abort(reason));
    }
  });
  await proxy.untilNoneIsServed();

  t.is(error, reason);
  t.deepEqual(seqs, [1, 2, 3]);
  await end();
});

async function record(client: RepricerClient, count: number): Promise<void> {
  const lines = Array.from({ length: count }, (_, index) => ({
    productId: `p${index % 7} ü`,
    price: '3.50',
  }));
  await collect(client.repriceBatch(lines));
}
