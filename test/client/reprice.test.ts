import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { RepricerClient, RepricerUnreachable } from 'repricer/client';
import { garbageCollector } from '../support/garbage-collector.ts';
import { connectClient, hasty, problemOf } from './client-fixture.ts';
import { type Fault, UnrulyProxy } from './unruly-proxy.ts';

test('a receipt has every digit that was sent, and says where the record stands', async (t) => {
  const { client, end } = await connectClient(t);
  await client.reprice('foo', '3.50');

  const receipt = await client.reprice('foo', '123456789012.000001', {
    ...{ currency: 'EUR', source: 'crawler', reason: 'said "price":1.50' },
    idempotencyKey: 'k1',
  });

  const { timestamp, file, offset, length, ...rest } = receipt;
  t.deepEqual(rest, {
    kind: 'recorded',
    replayed: false,
    ...{ seq: 2, batch: 2, productId: 'foo', version: 2 },
    ...{ previousPrice: '3.50', newPrice: '123456789012.000001', unchanged: false },
    ...{ currency: 'EUR', source: 'crawler', reason: 'said "price":1.50', idempotencyKey: 'k1' },
  });
  t.regex(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  t.regex(file, /^results\//);
  t.true(offset > 0 && length > 0);
  const { kind, replayed, ...recorded } = receipt;
  t.deepEqual(await client.record(2), recorded);
  await end();
});

test('a write with a key that was used before gets the first receipt', async (t) => {
  const { client, end } = await connectClient(t);

  const first = await client.reprice('foo', '3.50', { idempotencyKey: 'k' });
  const second = await client.reprice('foo', '3.50', { idempotencyKey: 'k' });

  t.deepEqual(second, { ...first, replayed: true });
  await end();
});

test('ifChanged and dryRun say what is and what would be, and record nothing', async (t) => {
  const { client, service, end } = await connectClient(t);
  await client.reprice('foo', '3.50');

  const same = await client.reprice('foo', '3.5', { ifChanged: true });
  const draft = await client.reprice('foo', '4.10', { dryRun: true, source: 'me' });

  t.deepEqual(same, { kind: 'unchanged', productId: 'foo', version: 1, price: '3.50' });
  t.like(draft, { kind: 'dry run', version: 2, previousPrice: '3.50', newPrice: '4.10' });
  t.is(service.ledger.lastSeq, 1);
  await end();
});

test('a price conflict tells the price in force and its version', async (t) => {
  const { client, end } = await connectClient(t);
  await client.reprice('foo', '3.50');

  const conflict = await problemOf(
    t,
    client.reprice('foo', '4.0', { expectedPreviousPrice: '3.40' }),
  );
  const none = await problemOf(t, client.reprice('new', '4.0', { expectedPreviousPrice: '1.0' }));

  t.like(conflict, { status: 409, type: '/problems/price-conflict', title: 'Price conflict' });
  t.like(conflict, { currentPrice: '3.50', version: 1 });
  t.like(none, { currentPrice: null, version: 0 });
  await t.notThrowsAsync(client.reprice('foo', '4.0', { expectedPreviousPrice: '3.5' }));
  await t.notThrowsAsync(client.reprice('new', '4.0', { expectedPreviousPrice: null }));
  await end();
});

test('ifMatch and mustBeNew are held to', async (t) => {
  const { client, end } = await connectClient(t);

  const first = await client.reprice('foo', '3.50', { mustBeNew: true });
  const notNew = await problemOf(t, client.reprice('foo', '3.60', { mustBeNew: true }));
  const other = await problemOf(t, client.reprice('foo', '3.60', { ifMatch: 7 }));
  const second = await client.reprice('foo', '3.60', { ifMatch: first.version });

  t.is(notNew.status, 412);
  t.is(other.status, 412);
  t.is(second.version, 2);
  await end();
});

test('what is wrong with a request is told by field, and it is sent once', async (t) => {
  const { client, proxy, end } = await connectClient(t);

  const problem = await problemOf(t, client.reprice('foo', '-1', { currency: 'euro' }));

  t.is(problem.status, 400);
  t.deepEqual(
    problem.errors.map(({ pointer }) => pointer),
    ['#/price', '#/currency'],
  );
  t.is(proxy.requests.length, 1);
  await end();
});

const passing: readonly Fault[] = [
  'lose the request',
  'lose the answer',
  { bytes: 100 },
  { status: 408 },
  { status: 429 },
  { status: 502 },
  { status: 503 },
  { status: 504 },
  { status: 507 },
  { status: 409, body: problemText(409, '/problems/idempotency-key-in-use') },
];
for (const fault of passing) {
  test(`a write is recorded once when it meets ${JSON.stringify(fault)} twice`, async (t) => {
    const { client, proxy, service, end } = await connectClient(t);
    proxy.willDo(fault, fault);

    const receipt = await client.reprice('foo', '3.50');

    t.is(receipt.seq, 1);
    t.is(service.ledger.lastSeq, 1);
    t.is(proxy.requests.length, 3);
    t.is(new Set(proxy.keys).size, 1);
    t.regex(String(proxy.keys[0]), /^[0-9a-f-]{36}$/);
    t.is(
      receipt.replayed,
      fault === 'lose the answer' || (typeof fault === 'object' && 'bytes' in fault),
    );
    await end();
  });
}

for (const fault of ['be silent', { bytes: 100, isSilent: true }] as const) {
  test.serial(
    `a write that meets ${JSON.stringify(fault)} is sent again, whatever is collected meanwhile`,
    async (t) => {
      const { client, proxy, service, end } = await connectClient(t, {
        retry: { attemptMs: 2000 },
      });
      const collectGarbage = garbageCollector();
      proxy.willDo(fault);

      const writing = client.reprice('foo', '3.50');
      await proxy.untilRequests(1);
      await setTimeout(100);
      collectGarbage();
      await writing;

      t.is(service.ledger.lastSeq, 1);
      t.is(proxy.requests.length, 2);
      await end();
    },
  );
}

for (const [form, headers] of [
  ['seconds', { 'Retry-After': '1' }],
  [
    'a date, by the clock of the service',
    {
      Date: 'Tue, 01 Jan 2030 00:00:00 GMT',
      'Retry-After': 'Tue, 01 Jan 2030 00:00:01 GMT',
    },
  ],
] as const) {
  test(`the wait that the service asks for in ${form} is kept`, async (t) => {
    const { client, proxy, end } = await connectClient(t);
    proxy.willDo({ status: 503, headers });
    const startedMs = performance.now();

    await client.reprice('foo', '3.50');

    const tookMs = performance.now() - startedMs;
    t.true(tookMs >= 990 && tookMs < 10_000, `${tookMs} ms`);
    await end();
  });
}

test('a key that cannot be sent is a mistake of the caller, and tried once', async (t) => {
  const { client, proxy, end } = await connectClient(t);

  await t.throwsAsync(client.reprice('foo', '3.50', { idempotencyKey: 'ключ' }), {
    instanceOf: TypeError,
  });

  t.is(proxy.requests.length, 0);
  await end();
});

test('a wait that is longer than there is time is not begun', async (t) => {
  const { client, proxy, end } = await connectClient(t);
  proxy.willDo({ status: 503, headers: { 'Retry-After': '3600' } });

  const problem = await problemOf(t, client.reprice('foo', '3.50'));

  t.is(problem.retryAfterMs, 3_600_000);
  t.is(proxy.requests.length, 1);
  await end();
});

test('after so many attempts the last failure is told', async (t) => {
  const { client, proxy, end } = await connectClient(t, { retry: { attemptsMax: 3 } });
  proxy.willDo({ status: 503 }, 'lose the request', { status: 507 });

  const problem = await problemOf(t, client.reprice('foo', '3.50'));

  t.is(problem.status, 507);
  t.is(problem.type, 'about:blank');
  t.is(proxy.requests.length, 3);
  await end();
});

test('a service that is not there is told as unreachable, with the cause', async (t) => {
  const proxy = await UnrulyProxy.open(t);
  const client = new RepricerClient(proxy.url, { retry: { ...hasty, attemptsMax: 2 } });
  proxy.close();

  const error = await t.throwsAsync(client.price('foo'), { instanceOf: RepricerUnreachable });

  t.true(error.cause instanceof Error);
});

test('an aborted signal ends an attempt and a wait at once, with its reason', async (t) => {
  const { client, proxy, end } = await connectClient(t);
  const reason = new Error('enough');

  for (const fault of ['be silent', { status: 503, headers: { 'Retry-After': '10' } }] as const) {
    const seen = proxy.requests.length;
    const controller = new AbortController();
    proxy.willDo(fault);
    const writing = client.reprice('foo', '3.50', { signal: controller.signal });
    await proxy.untilRequests(seen + 1);
    controller.abort(reason);
    t.is(await t.throwsAsync(writing), reason);
  }
  const aborted = client.price('foo', { signal: AbortSignal.abort(reason) });
  t.is(await t.throwsAsync(aborted), reason);
  await end();
});

function problemText(status: number, type: string): string {
  return JSON.stringify({ type, title: 'a title', status, detail: 'a detail' });
}
