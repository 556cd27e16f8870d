import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Scope } from '../../../src/access/client.ts';
import type { HttpLimits } from '../../../src/app.ts';
import { createOperations } from '../../../src/http/openapi/operations.ts';
import type { PriceRecord } from '../../../src/model/price-record.ts';
import { EventStream } from '../../support/event-stream.ts';
import { startLedgerService } from '../../support/ledger-service.ts';
import { checkCleanStore } from '../../support/store.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { bearer, ChangingTokens, entry, tokenOf } from '../../support/tokens.ts';
import { FakeLedger, hold, record, serve, testHttpLimits } from '../http-fixture.ts';

const operations = createOperations(testHttpLimits.pageSizeMax);

/* Who may do what, over HTTP, on files. */

const entries = [
  entry('reader', ['read']),
  entry('writer', ['reprice']),
  entry('both', ['read', 'reprice']),
  entry('admin', ['admin']),
  entry('shoes', ['read', 'reprice', 'admin'], 'shoes/'),
];

const reprice = (productId: string): Route => ({
  method: 'POST',
  path: '/api/reprice',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ productId, price: 1 }),
});

const batch = (productIds: readonly string[], query = ''): Route => ({
  method: 'POST',
  path: `/api/reprice/batch${query}`,
  headers: { 'content-type': 'application/x-ndjson' },
  body: productIds.map((productId) => `${JSON.stringify({ productId, price: 1 })}\n`).join(''),
});

const get = (path: string): Route => ({ method: 'GET', path, headers: {} });

const history = '/history?from=2026-11-21T00:00:00Z&to=2026-11-22T00:00:00Z&interval=1d';

const prices = (...productIds: readonly string[]): Route => ({
  method: 'POST',
  path: '/api/products/prices',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ productIds }),
});

/** Every route that ends, and the scope that it is for. */
const routes: readonly (readonly [Route, Scope])[] = [
  [reprice('shoes/1'), 'reprice'],
  [batch(['shoes/1']), 'reprice'],
  [get('/api/product/shoes%2F1/price'), 'read'],
  [get('/api/product/shoes%2F1/price?at=2100-11-21T12:00:00Z'), 'read'],
  [get(`/api/product/shoes%2F1${history}`), 'read'],
  [get('/api/record/1'), 'read'],
  [get('/api/query'), 'read'],
  [get('/api/products'), 'read'],
  [get('/api/clients'), 'admin'],
  [prices('shoes/1'), 'read'],
];

/** Requests of every operation that are about other products than those of the prefix "shoes/". */
const outside: Readonly<Record<string, readonly Route[]>> = {
  reprice: [reprice('hats/1'), reprice('shoes'), reprice('Shoes/1')],
  repriceBatch: [batch(['hats/1']), batch(['shoes/1', 'hats/1'], '?atomic=true')],
  price: [
    get('/api/product/hats%2F1/price'),
    get('/api/product/unknown/price'),
    get('/api/product/shoes/price?at=2100-11-21T12:00:00Z'),
  ],
  history: [get(`/api/product/hats%2F1${history}`)],
  record: [get('/api/record/3')],
  query: [
    get('/api/query'),
    get('/api/query?productId=shoes/1&productId=hats/1'),
    { ...get('/api/query'), headers: { accept: 'text/csv' } },
    { ...get('/api/query?productId=hats/1'), headers: { accept: 'application/x-ndjson' } },
  ],
  listProducts: [
    get('/api/products'),
    get('/api/products?prefix=shoes'),
    get('/api/products?prefix=hats/'),
  ],
  prices: [prices('hats/1'), prices('shoes/1', 'hats/1')],
  listClients: [get('/api/clients')],
  stream: [get('/api/stream'), get('/api/stream?productId=shoes/1&productId=hats/1&after=0')],
};

test('every route needs a token, says so, and does nothing without one', async (t) => {
  const { ask, seq } = await start(t);
  const others = [get('/api/nothing'), get('/'), { ...get('/api/query'), method: 'OPTIONS' }];

  for (const route of [...routes.map(([route]) => route), ...others]) {
    const none = await ask(route, {});
    t.is(none.status, 401, route.path);
    t.is(none.headers['www-authenticate'], 'Bearer realm="repricer"');
    t.is(none.problem.type, '/problems/unauthenticated');
    const unknown = await ask(route, bearer('nobody'));
    t.is(unknown.status, 401);
    t.is(unknown.headers['www-authenticate'], 'Bearer realm="repricer", error="invalid_token"');
  }
  t.is(seq(), 0);
});

test('a route is served with its scope alone, and the refusal names the scope that is missing', async (t) => {
  const { ask } = await start(t);
  await ask(reprice('shoes/1'), bearer('both'));

  for (const [route, scope] of routes) {
    for (const { name, scopes } of entries) {
      const { status, headers, problem } = await ask(route, bearer(name));
      if (scopes.includes(scope)) {
        // The query of a token with a prefix has a test of its own.
        if (name !== 'shoes')
          t.true([200, 202].includes(status), `${name} ${route.path} ${status}`);
        continue;
      }
      t.is(status, 403, `${name} ${route.path}`);
      t.is(problem.type, '/problems/scope-missing');
      t.true(problem.detail.includes(`"${scope}"`));
      t.is(
        headers['www-authenticate'],
        `Bearer realm="repricer", error="insufficient_scope", scope="${scope}"`,
      );
    }
  }
});

test('a token with a prefix reads and writes the products that begin with it, and no others', async (t) => {
  const { ask } = await start(t);
  for (const id of ['shoes/1', 'shoes', 'hats/1']) await ask(reprice(id), bearer('both'));
  const shoes = bearer('shoes');

  for (const route of [
    reprice('shoes/2'),
    get('/api/product/shoes%2F1/price'),
    get('/api/v1/product/%73hoes%2F1/price?at=2100-11-21T12:00:00Z'),
    get(`/api/product/shoes%2F1${history}`),
    get('/api/record/1'),
    get('/api/query?productId=shoes/1&productId=shoes/2'),
    { ...get('/api/query?productId=shoes/1'), headers: { accept: 'text/csv' } },
    get('/api/products?prefix=shoes/'),
    get('/api/products?prefix=shoes/1'),
    prices('shoes/1', 'shoes/2'),
  ]) {
    const { status, text } = await ask(route, shoes);
    t.true(status === 200 || status === 202, `${route.path} ${status} ${text}`);
  }
  for (const route of Object.values(outside).flat()) {
    for (const path of [route.path, route.path.replace('/api/', '/api/v1/')]) {
      const { status, text } = await ask({ ...route, path }, shoes);
      t.true(text.includes('"/problems/outside-prefix"'), `${path} ${text}`);
      t.true(text.includes('The token is for products whose ids begin with \\"shoes/\\"; this '));
      t.false(text.includes('hats'));
      // A batch tells it in the lines of its answer.
      if (!path.includes('batch')) t.is(status, 403, path);
    }
  }
});

test('every operation is for one scope, as it is described, under both versions, but for the documentation', async (t) => {
  const { ask } = await start(t);

  for (const { id, method, path, below, scope } of operations) {
    t.is(scope === undefined, below === 'host', id);
    t.is(id in outside, scope !== undefined, `what of ${id} is outside of a prefix?`);
    for (const prefix of below === 'api' ? ['/api', '/api/v1'] : ['']) {
      const filled = `${prefix}${path.replaceAll(/\{\w+\}/g, '1')}`;
      const route = { ...get(filled), method: method.toUpperCase() };
      const none = await ask(route, {});
      const other = await ask(route, bearer(scope === 'admin' ? 'reader' : 'admin'));
      if (scope === undefined) {
        t.true([200, 404].includes(none.status), filled);
        continue;
      }
      t.is(none.status, 401, filled);
      t.is(other.status, 403, filled);
      t.is(other.problem.detail, `This needs the scope "${scope}", which the client lacks.`);
    }
  }
});

test("the documentation is open to everyone and uses up nobody's rate", async (t) => {
  const { ask } = await start(t, { clientRate: 1, clientBurst: 1 });

  const answers = [];
  for (const path of ['/openapi.json', '/docs', '/docs/start.js', '/docs/nothing']) {
    for (const headers of [{}, bearer('nobody'), bearer('reader')]) {
      answers.push(await ask(get(path), headers));
    }
  }
  const asked = await ask(get('/api/query'), bearer('reader'));

  t.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 404].flatMap((status) => [status, status, status]),
  );
  t.true(answers.every(({ headers }) => headers['ratelimit'] === undefined));
  t.is(asked.status, 200);
});

test('a token with a prefix lists and follows its products', async (t) => {
  const { ask, url } = await start(t);
  for (const id of ['shoes/1', 'shoes', 'hats/1']) await ask(reprice(id), bearer('both'));

  const list = await ask(get('/api/products?prefix=shoes/&limit=1'), bearer('shoes'));
  const path = /^<(.+)>; rel="next"$/.exec(String(list.headers['link']))?.[1];
  const next = await ask(get(path ?? '/'), bearer('shoes'));
  const stream = await EventStream.open(
    `${url}/api/stream?productId=shoes/1&after=0`,
    bearer('shoes'),
  );
  await stream.untilSeq(1);
  stream.close();

  t.regex(list.text, /^\{"products":\[\{"productId":"shoes\/1",[^}]+\}\],"pending":\[\]\}$/);
  t.is(next.status, 200);
  t.deepEqual(stream.seqs, [1]);
});

for (const [what, left] of [
  ['is withdrawn', entry('writer', ['reprice'])],
  ['loses its scope', entry('reader', ['admin'])],
  ['gets a prefix', entry('reader', ['read'], 'shoes/')],
] as const) {
  test(`a stream whose token ${what} is ended and says so, and others go on`, async (t) => {
    const { url, tokens, feed, ask } = await start(t);
    const open = (name: string, query: string) =>
      EventStream.open(`${url}/api/stream?after=0${query}`, bearer(name));
    const ended = await open('reader', '');
    const kept = await open('shoes', '&productId=shoes/1');

    tokens.become(left, entry('shoes', ['read'], 'shoes/'), entry('both', ['reprice']));
    feed.endForbidden();
    await ended.untilClosed();
    await ask(reprice('shoes/1'), bearer('both'));
    await kept.untilSeq(1);
    kept.close();

    t.true(ended.isEnded);
    t.deepEqual(ended.events, [{ id: '0', type: 'end', data: '{"reason":"forbidden"}' }]);
    t.deepEqual(kept.seqs, [1]);
  });
}

test('a whole range that is read longer than its token lasts is cut off, which is no failure of the service', async (t) => {
  const tokens = new ChangingTokens(entry('reader', ['read']));
  const ledger = new TwoBlocks();
  const service = await serve(t, ledger, { clients: tokens });
  const headers = { accept: 'application/x-ndjson', ...bearer('reader') };
  const sent = request({ port: service.port, path: '/api/query', headers, agent: false }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const [text] = (await once(response.setEncoding('utf8'), 'data')) as [string];

  tokens.become(entry('other', ['read']));
  const broken = once(response, 'error');
  response.on('data', () => t.fail('more was sent'));
  ledger.secondBlock.release();
  await broken;

  t.is(text.trim().split('\n').length, 1);
  t.false(response.complete);
  t.like(service.log.lines[0], { level: 'info', fields: { code: 'UNAUTHENTICATED' } });
  t.false(service.log.lines.some(({ level }) => level === 'warn' || level === 'error'));
});

test('of a batch the lines outside the prefix are refused one by one, and an atomic one as a whole', async (t) => {
  const { ask, seq } = await start(t);

  const each = await ask(batch(['shoes/1', 'hats/1', 'shoes/2']), bearer('shoes'));
  const all = await ask(batch(['shoes/1', 'hats/1'], '?atomic=true'), bearer('shoes'));

  t.is(each.status, 200);
  t.deepEqual(briefly(each.text), ['1 202', '2 403 /problems/outside-prefix', '3 202']);
  t.is(all.status, 409);
  t.deepEqual(briefly(all.text), [
    '1 424 /problems/failed-dependency',
    '2 403 /problems/outside-prefix',
  ]);
  t.is(seq(), 2);
});

for (const [what, left, expected] of [
  ['token is withdrawn', entry('reader', ['read']), '2 401 /problems/unauthenticated'],
  ['token loses its scope', entry('writer', ['read']), '2 403 /problems/scope-missing'],
] as const) {
  test(`a batch whose ${what} ends, and the lines at hand say why`, async (t) => {
    const { port, tokens, seq } = await start(t);
    const { body } = batch(['a']);
    const headers = { 'content-type': 'application/x-ndjson', ...bearer('writer') };
    const sent = request({ port, method: 'POST', path: '/api/reprice/batch', headers });
    sent.write(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const [first] = (await once(response.setEncoding('utf8'), 'data')) as [string];

    const ended = once(response, 'end');
    tokens.become(left);
    sent.write(body);
    const [second] = (await once(response, 'data')) as [string];
    await ended;

    t.deepEqual(briefly(first), ['1 202']);
    t.deepEqual(briefly(second), [expected]);
    t.is(seq(), 1);
  });
}

test('the token may come in either field, or the same in both; two that differ are refused', async (t) => {
  const { ask } = await start(t);
  const token = tokenOf('reader');
  const query = get('/api/query');

  for (const headers of [
    { authorization: `Bearer ${token}` },
    { authorization: `bearer   ${token}` },
    { 'x-token': token },
    { authorization: `Bearer ${token}`, 'x-token': token },
    { authorization: 'Basic dXNlcjpwYXNzd29yZA==', 'x-token': token },
  ]) {
    t.is((await ask(query, headers)).status, 200, JSON.stringify(headers));
  }
  for (const headers of [
    { authorization: `Bearer ${token}`, 'x-token': tokenOf('both') },
    { authorization: 'Bearer', 'x-token': token },
    { 'x-token': [token, token] },
    { authorization: [`Bearer ${token}`, `Bearer ${token}`] },
  ]) {
    t.is((await ask(query, headers)).status, 400, JSON.stringify(headers));
  }
  for (const headers of [
    { authorization: 'Bearer' },
    { authorization: `Bearer ${token}, Bearer ${token}` },
    { authorization: `Bearer ${token}é` },
    { authorization: token },
    { authorization: `Token ${token}` },
    { 'x-token': '' },
    { 'x-token': `Bearer ${token}` },
  ]) {
    t.is((await ask(query, headers)).status, 401, JSON.stringify(headers));
  }
  t.is((await ask(get(`/api/query?token=${token}`), {})).status, 401);
});

test("the token's name stands in the record, in every answer about it, and in the log", async (t) => {
  const { ask, directory, log, stop } = await start(t);
  const prefer = { prefer: 'return=representation', 'idempotency-key': 'k' };

  const told = await ask(reprice('a'), { ...bearer('both'), ...prefer });
  const dry = await ask({ ...reprice('a'), path: '/api/reprice?dryRun=true' }, bearer('writer'));
  await ask(batch(['b']), bearer('writer'));
  const read = await ask(get('/api/record/1'), bearer('reader'));

  t.regex(told.text, /"idempotencyKey":"k","actor":"both","unchanged":false/);
  t.regex(dry.text, /"actor":"writer","unchanged":true,"dryRun":true/);
  t.is(read.text, told.text);
  t.deepEqual(
    log.lines.map(({ fields }) => fields['actor']),
    ['both', 'writer', 'writer', 'reader'],
  );
  await stop();
  await checkCleanStore(t, directory);
  t.deepEqual(await actorsIn(directory), ['both', 'writer']);
});

test('a client cannot name its actor itself', async (t) => {
  const { ask } = await start(t);
  const named = { ...reprice('a'), body: '{"productId":"a","price":1,"actor":"other"}' };

  t.is((await ask(named, bearer('both'))).status, 400);
});

test('a key that another token has used is answered with what that one recorded', async (t) => {
  const { ask, seq } = await start(t);
  const key = { 'idempotency-key': 'k', prefer: 'return=representation' };
  await ask(reprice('shoes/1'), { ...bearer('both'), ...key });

  const again = await ask(reprice('shoes/1'), { ...bearer('shoes'), ...key });

  t.is(again.headers['idempotent-replayed'], 'true');
  t.regex(again.text, /"actor":"both"/);
  t.is(seq(), 1);
});

test('no answer and no log line has a token in it', async (t) => {
  const { ask, log } = await start(t);
  const answers = [];
  for (const name of ['both', 'shoes', 'nobody']) {
    for (const [route] of routes) answers.push(await ask(route, bearer(name)));
    answers.push(await ask(get(`/api/query?x=${tokenOf(name)}`), bearer(name)));
    answers.push(await ask(get('/api/query'), { 'x-token': [tokenOf(name), tokenOf(name)] }));
    answers.push(await ask(get('/api/query'), { ...bearer(name), 'x-token': tokenOf('writer') }));
  }

  t.true(log.lines.length >= answers.length);
  t.false(JSON.stringify(log.lines).includes('rp_'));
  t.false(JSON.stringify(answers).includes('rp_'));
});

interface Route {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** A ledger whose records are scanned in two blocks, of which the second is held. */
class TwoBlocks extends FakeLedger {
  readonly secondBlock = hold();

  override async *scan(): AsyncGenerator<readonly PriceRecord[], void, void> {
    yield [record()];
    await this.secondBlock.promise;
    yield [record()];
  }
}

async function start(t: ExecutionContext, limits: Partial<HttpLimits> = {}) {
  const directory = await temporaryDirectory(t);
  const tokens = new ChangingTokens(...entries);
  const service = await startLedgerService(t, directory, { clients: tokens, limits });
  const { url, port, feed, ledger, log, stop } = service;
  const ask = ({ body, ...route }: Route, more: Readonly<Record<string, string | string[]>>) => {
    const sent = request({ ...route, port, headers: { ...route.headers, ...more }, agent: false });
    sent.end(body);
    return answerTo(sent);
  };
  return { directory, url, port, tokens, feed, log, stop, ask, seq: () => ledger.lastSeq };
}

interface ToldProblem {
  readonly type: string;
  readonly detail: string;
}

async function answerTo(sent: ClientRequest) {
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += String(part);
  const { statusCode: status = 0, headers } = response;
  const isProblem = headers['content-type'] === 'application/problem+json';
  const problem = isProblem ? (JSON.parse(text) as ToldProblem) : { type: '', detail: '' };
  return { status, headers, text, problem };
}

/** The lines of a batch's answer: line, status, and the type of its problem. */
function briefly(text: string): readonly string[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { line: number; status: number; problem?: ToldProblem })
    .map(({ line, status, problem }) =>
      [line, status, ...(problem ? [problem.type] : [])].join(' '),
    );
}

/** The actors of all records, in order. */
async function actorsIn(directory: string): Promise<readonly unknown[]> {
  const results = join(directory, 'results');
  const names = (await readdir(results, { recursive: true })).filter((name) =>
    name.endsWith('.ndjson'),
  );
  const texts = await Promise.all(
    names.sort().map((name) => readFile(join(results, name), 'utf8')),
  );
  const lines = texts.join('').trim().split('\n');
  return lines.map((line) => (JSON.parse(line) as { readonly actor?: string }).actor);
}
