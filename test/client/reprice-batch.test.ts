import test from 'ava';
import {
  type BatchLine,
  type LineResult,
  RepricerUnreachable,
  UnreadableAnswer,
} from 'repricer/client';
import { linesInFlightMax } from '../../src/client/reprice-batch.ts';
import { hold } from '../http/http-fixture.ts';
import { collect, connectClient, problemOf } from './client-fixture.ts';

test('each line gets its result in order, and one that is refused spoils no other', async (t) => {
  const { client, end } = await connectClient(t);
  const lines: readonly BatchLine[] = [
    { productId: 'a', price: '1.50', idempotencyKey: 'k', source: 'said "a": 1' },
    { productId: 'a', price: '-1' },
    { productId: 'a', price: '2.0', expectedPreviousPrice: '9.0' },
    { productId: 'a', price: '1.50', idempotencyKey: 'k', source: 'said "a": 1' },
    { productId: 'b', price: '0.000001', expectedPreviousPrice: null },
  ];

  const results = await collect(client.repriceBatch(lines));

  t.deepEqual(results.map(briefly), [
    '1 a recorded 1',
    '2 a refused 400',
    '3 a refused 409 at 1.50',
    '4 a recorded 1 again',
    '5 b recorded 2',
  ]);
  t.is((await client.price('b')).price, '0.000001');
  t.is((await client.record(1)).source, 'said "a": 1');
  await end();
});

test('results come while lines are still to come, and the service may end a batch that is quiet', async (t) => {
  const { client, proxy, end } = await connectClient(t, { limits: { requestTimeoutMs: 1000 } });
  const answers = [hold(), hold(), hold()];
  async function* slowLines() {
    for (const [index, { promise }] of answers.entries()) {
      yield { productId: 'a', price: `${index + 1}.25` };
      await promise;
      await proxy.untilNoneIsServed();
    }
  }

  for await (const { line, kind } of client.repriceBatch(slowLines())) {
    t.is(kind, 'recorded');
    answers[line - 1]?.release();
  }

  t.is(proxy.requests.length, 3);
  await end();
});

test('lines whose results got lost are sent again with their keys, and recorded once', async (t) => {
  const { client, proxy, service, end } = await connectClient(t);
  proxy.willDo('lose the request', 'lose the answer', { bytes: 1000 }, { bytes: 20_000 });
  proxy.willDo({ status: 503 }, { bytes: 70 }, 'lose the request', { bytes: 30_000 });

  const results = await collect(client.repriceBatch(lines(2000)));

  t.deepEqual(
    results.map(({ line, update }) => [line, update.price]),
    lines(2000).map(({ price }, index) => [index + 1, price]),
  );
  t.true(results.every(({ kind }) => kind === 'recorded'));
  t.true(results.some((result) => result.kind === 'recorded' && result.replayed));
  t.is(service.ledger.lastSeq, 2000);
  t.is(new Set(results.map(({ update }) => update.idempotencyKey)).size, 2000);
  t.is(proxy.requests.length, 9);
  const records = await Promise.all([1, 1000, 2000].map((seq) => client.record(seq)));
  t.deepEqual(
    records.map(({ newPrice }) => newPrice),
    ['1.25', '1000.25', '2000.25'],
  );
  await end();
});

test('a batch that nobody wants sent again throws what broke it, after the results that came', async (t) => {
  const { client, proxy, end } = await connectClient(t);
  proxy.willDo({ bytes: 300 });
  const results: LineResult[] = [];

  const error = await t.throwsAsync(async () => {
    for await (const result of client.repriceBatch(lines(500), { retry: false })) {
      results.push(result);
    }
  });

  t.true(error instanceof RepricerUnreachable);
  t.true(results.length > 0 && results.length < 10);
  t.is(proxy.requests.length, 1);
  await end();
});

test('a refusal of a whole batch is thrown, or waited out when it passes', async (t) => {
  const { client, proxy, service, end } = await connectClient(t, { limits: { batchesMax: 0 } });

  const { status, type } = await problemOf(
    t,
    collect(client.repriceBatch(lines(5000), { retry: false })),
  );

  t.deepEqual([status, type], [503, '/problems/too-many-batches']);
  proxy.willDo({ status: 400, body: '{}' });
  t.is((await problemOf(t, collect(client.repriceBatch(lines(5000))))).status, 400);
  t.is(service.ledger.lastSeq, 0);
  await end();
});

test('a line that the service cannot record just then is sent again, and those after it stay behind it', async (t) => {
  const { client, proxy, service, end } = await connectClient(t);
  const problem = { type: '/problems/no-space', title: 'No space', status: 507, detail: 'full' };
  const good = { status: 202, seq: 7, version: 1, unchanged: false };
  proxy.willDo({
    status: 200,
    headers: { 'Content-Type': 'application/x-ndjson' },
    body: [
      { line: 1, ...good },
      { line: 2, status: 507, problem },
      { line: 3, status: 507, problem },
    ]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(''),
  });

  const results = await collect(client.repriceBatch(lines(4)));

  t.deepEqual(results.map(briefly), [
    '1 a recorded 7',
    '2 a recorded 1',
    '3 a recorded 2',
    '4 a recorded 3',
  ]);
  t.is(service.ledger.lastSeq, 3);
  await end();
});

test('results that do not fit the lines are of no service that is known', async (t) => {
  const { client, proxy, end } = await connectClient(t);
  const result = (line: number) =>
    `${JSON.stringify({ line, status: 202, seq: line, version: line, unchanged: false })}\n`;
  const misfits = [
    [result(2), {}],
    [result(1) + result(2), {}],
    [result(1) + result(2), { atomic: true }],
    ['', { atomic: true }],
  ] as const;

  for (const [body, options] of misfits) {
    proxy.willDo({ status: 200, headers: { 'Content-Type': 'application/x-ndjson' }, body });

    const results = collect(client.repriceBatch(lines(1), options));

    await t.throwsAsync(results, { instanceOf: UnreadableAnswer }, body);
  }
  await end();
});

test('of an atomic batch all lines are recorded, or each is told why none was', async (t) => {
  const { client, service, proxy, end } = await connectClient(t);
  const bad = [...lines(2), { productId: 'a', price: '9.0', expectedPreviousPrice: '7.0' }];
  proxy.willDo({ bytes: 150 }, { bytes: 100 });

  const refused = await collect(client.repriceBatch(bad, { atomic: true }));
  const recorded = await collect(client.repriceBatch(lines(2), { atomic: true }));
  const none = await collect(client.repriceBatch([], { atomic: true }));

  t.deepEqual(refused.map(briefly), [
    '1 a refused 424',
    '2 a refused 424',
    '3 a refused 409 at 2.25',
  ]);
  t.deepEqual(recorded.map(briefly), ['1 a recorded 1', '2 a recorded 2']);
  t.deepEqual(none, []);
  t.is(service.ledger.lastSeq, 2);
  await end();
});

test('an atomic batch whose answer gets lost is sent again as a whole, and recorded once', async (t) => {
  const { client, service, proxy, end } = await connectClient(t);
  proxy.willDo('lose the answer', { bytes: 70 });

  const results = await collect(client.repriceBatch(lines(3), { atomic: true }));

  t.deepEqual(results.map(briefly), [
    '1 a recorded 1 again',
    '2 a recorded 2 again',
    '3 a recorded 3 again',
  ]);
  t.is(service.ledger.lastSeq, 3);
  await end();
});

test('a dry batch and one of changes only say so for each line', async (t) => {
  const { client, end } = await connectClient(t);
  await client.reprice('a', '1.250');

  const dry = await collect(client.repriceBatch(lines(2), { dryRun: true }));
  const changes = await collect(client.repriceBatch(lines(2), { ifChanged: true }));

  t.deepEqual(dry.map(briefly), ['1 a dry run 1.250 to 1.25', '2 a dry run 1.25 to 2.25']);
  t.deepEqual(changes.map(briefly), ['1 a unchanged 1.250', '2 a recorded 2']);
  await end();
});

test('no more lines are taken than may be in flight, while nobody takes results', async (t) => {
  const { client, end } = await connectClient(t);
  let taken = 0;
  function* endless() {
    for (;;) {
      taken += 1;
      yield { productId: `p${taken % 50}`, price: '1.0' };
    }
  }
  const results = client.repriceBatch(endless());

  for (let count = 0; count < 10; count += 1) await results.next();
  await client.price('p1');

  t.true(taken >= 10 && taken <= linesInFlightMax + 10, String(taken));
  await results.return();
  await end();
});

test('lines that throw end a batch after the results of those before', async (t) => {
  const { client, service, end } = await connectClient(t);
  const reason = new Error('no more');
  async function* broken() {
    yield* lines(3);
    throw reason;
  }
  const results: string[] = [];

  const error = await t.throwsAsync(async () => {
    for await (const result of client.repriceBatch(broken())) results.push(briefly(result));
  });

  t.is(error, reason);
  t.is(results.length, 3);
  t.is(service.ledger.lastSeq, 3);
  await end();
});

test('a batch that is left lets its lines know and holds no connection', async (t) => {
  const { client, proxy, end } = await connectClient(t);
  let isLeft = false;
  async function* endless() {
    try {
      for (;;) yield* lines(100);
    } finally {
      isLeft = true;
    }
  }

  for await (const result of client.repriceBatch(endless())) if (result.line > 200) break;
  await proxy.untilNoneIsServed();

  t.true(isLeft);
  await end();
});

test('an aborted signal ends a batch that waits for lines, for results or for another attempt', async (t) => {
  const { client, proxy, end } = await connectClient(t);
  const reason = new Error('enough');
  const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
  const busy = { status: 503, headers: { 'Retry-After': '10' } };
  const stop = async (input: Iterable<BatchLine> | AsyncIterable<BatchLine>, requests: number) => {
    const seen = proxy.requests.length;
    const controller = new AbortController();
    const results = collect(client.repriceBatch(input, { signal: controller.signal }));
    await proxy.untilRequests(seen + requests);
    controller.abort(reason);
    t.is(await t.throwsAsync(results), reason);
  };

  await stop(never, 0);
  proxy.willDo('be silent', busy);
  await stop(lines(10), 1);
  await stop(lines(10), 1);
  await end();
});

function lines(count: number): readonly BatchLine[] {
  return Array.from({ length: count }, (_, index) => ({
    productId: 'a',
    price: `${index + 1}.25`,
  }));
}

function briefly(result: LineResult): string {
  const { line, update } = result;
  return `${line} ${update.productId} ${result.kind} ${outcome(result)}`;
}

function outcome(result: LineResult): string {
  switch (result.kind) {
    case 'recorded':
      return `${result.seq}${result.replayed ? ' again' : ''}`;
    case 'unchanged':
      return result.price;
    case 'dry run':
      return `${result.previousPrice} to ${result.newPrice}`;
    case 'refused': {
      const { status, currentPrice } = result.problem;
      return `${status}${currentPrice === undefined ? '' : ` at ${currentPrice}`}`;
    }
  }
}
