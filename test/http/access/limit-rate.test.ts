import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { startLedgerService } from '../../support/ledger-service.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { bearer, ChangingTokens, entry } from '../../support/tokens.ts';

/* How much a client may ask for, over HTTP, on files. Time is real here. */

const tokens = new ChangingTokens(entry('a', ['read', 'reprice']), entry('b', ['read']));

test('clients that obey Retry-After get all their writes through, and no faster than their rate', async (t) => {
  const { reprice, seq } = await start(t, { clientRate: 2, clientBurst: 3 });
  const startedMs = performance.now();
  const refusals: unknown[] = [];
  const write = async (): Promise<void> => {
    const { status, headers } = await reprice(bearer('a'));
    if (status === 202) return;
    refusals.push(status);
    await delay(Number(headers['retry-after']) * 1000);
    await write();
  };

  await Promise.all(Array.from({ length: 9 }, write));

  t.is(seq(), 9);
  t.true(refusals.length > 0);
  t.deepEqual(new Set(refusals), new Set<unknown>([429]));
  t.true(performance.now() - startedMs > ((9 - 3) / 2) * 1000 - 50);
});

test('every answer says what is left, and a refusal says when to come again', async (t) => {
  const { get } = await start(t, { clientRate: 0.01, clientBurst: 3 });

  const answers = [];
  for (let count = 0; count < 4; count += 1) answers.push(await get(bearer('a')));

  t.deepEqual(
    answers.map(({ status, headers }) => [status, headers['ratelimit-policy']]),
    [404, 404, 404, 429].map((status) => [status, '"client";q=3;w=300']),
  );
  const [first, second, , last] = answers;
  t.is(first?.headers['ratelimit'], '"client";r=2;t=200');
  t.is(second?.headers['ratelimit'], '"client";r=1;t=100');
  const waitSeconds = last?.headers['retry-after'];
  t.regex(waitSeconds ?? '', /^(?:[5-9]\d|100)$/);
  t.is(last?.headers['ratelimit'], `"client";r=0;t=${waitSeconds}`);
  t.like(JSON.parse(last?.text ?? ''), {
    type: '/problems/rate-limited',
    status: 429,
    detail: 'At most 0.01 requests a second, and 3 at once; nothing was done.',
  });
});

test("a token has its own limit, and an unknown one uses up nobody's", async (t) => {
  const { get } = await start(t, { clientRate: 0.01, clientBurst: 1 });

  const first = await get(bearer('a'));
  const second = await get(bearer('a'));
  const unknown = [];
  for (let count = 0; count < 3; count += 1) unknown.push((await get(bearer('c'))).status);
  const other = await get(bearer('b'));

  t.deepEqual([first.status, second.status, other.status], [404, 429, 404]);
  t.deepEqual(unknown, [401, 401, 401]);
});

test('without tokens an address has a limit, whatever it says of whom it forwards for', async (t) => {
  const { get } = await start(t, { clientRate: 0.01, clientBurst: 1 }, false);

  const first = await get({ 'x-forwarded-for': '10.0.0.1' });
  const second = await get({ 'x-forwarded-for': '10.0.0.2', forwarded: 'for=10.0.0.3' });
  const elsewhere = await get({}, '127.0.0.2');

  t.deepEqual([first.status, second.status, elsewhere.status], [404, 429, 404]);
});

test('a batch is read at the pace of its client, and none of its lines is refused', async (t) => {
  const { batch, seq } = await start(t, { clientRate: 50, clientBurst: 10 });
  const startedMs = performance.now();

  const { status, text } = await batch(60, bearer('a'));

  t.is(status, 200);
  t.is(text.match(/"status":202/g)?.length, 60);
  t.is(seq(), 60);
  t.true(performance.now() - startedMs > ((60 - 9) / 50) * 1000 - 50);
});

test('while a batch goes on, other requests of the same client are served', async (t) => {
  const { batch, get } = await start(t, { clientRate: 2, clientBurst: 3 });
  let isOver = false;
  const batched = batch(9, bearer('a')).then((answer) => {
    isOver = true;
    return answer;
  });

  const statuses = [];
  while (!isOver) {
    statuses.push((await get(bearer('a'))).status);
    await delay(1000);
  }

  t.deepEqual(new Set(statuses), new Set([404]));
  t.is((await batched).text.match(/"status":202/g)?.length, 9);
});

test('an atomic batch is taken whole, and its client pays for it afterwards', async (t) => {
  const { batch, get, seq } = await start(t, { clientRate: 0.01, clientBurst: 5 });

  const { status } = await batch(20, bearer('a'), '?atomic=true');
  const next = await get(bearer('a'));

  t.is(status, 200);
  t.is(seq(), 20);
  t.is(next.status, 429);
  t.regex(next.headers['retry-after'] ?? '', /^(?:1[67]\d\d)$/);
});

test('without a limit no answer speaks of one', async (t) => {
  const { get } = await start(t, { clientRate: 0, clientBurst: 1 });

  for (let count = 0; count < 5; count += 1) {
    const { status, headers } = await get(bearer('a'));
    t.is(status, 404);
    t.false('ratelimit' in headers || 'ratelimit-policy' in headers);
  }
});

async function start(
  t: ExecutionContext,
  limits: { readonly clientRate: number; readonly clientBurst: number },
  withTokens = true,
) {
  const clients = withTokens ? { clients: tokens } : {};
  const service = await startLedgerService(t, await temporaryDirectory(t), { limits, ...clients });
  const { port, ledger } = service;
  const ask = async (options: object, body?: string) => {
    const sent = request({ host: '127.0.0.1', port, ...options });
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let text = '';
    for await (const part of response.setEncoding('utf8')) text += String(part);
    return { status: response.statusCode, headers: response.headers, text };
  };
  const post = (path: string, type: string, headers: object, body: string) =>
    ask({ method: 'POST', path, headers: { 'content-type': type, ...headers } }, body);
  const line = '{"productId":"p","price":1}\n';
  return {
    get: (headers: object, localAddress?: string) =>
      ask({
        ...{ path: '/api/product/unknown/price', headers },
        ...(localAddress !== undefined && { localAddress, agent: new Agent() }),
      }),
    reprice: (headers: object) => post('/api/reprice', 'application/json', headers, line),
    batch: (lines: number, headers: object, query = '') =>
      post(`/api/reprice/batch${query}`, 'application/x-ndjson', headers, line.repeat(lines)),
    seq: () => ledger.lastSeq,
  };
}
