import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { anonymousClients } from '../../../src/access/client.ts';
import { ClientStatistics } from '../../../src/access/client-statistics.ts';
import { type ErrorCode, RepricerError } from '../../../src/errors.ts';
import { HotRoutes } from '../../../src/http/hot/hot-routes.ts';
import { RequestObserver } from '../../../src/http/server/request-observer.ts';
import { Traces } from '../../../src/ops/trace.ts';
import { ChangingTokens, entry, tokenOf } from '../../support/tokens.ts';
import {
  type Answer,
  type Asked,
  ask,
  connect,
  FakeLedger,
  hold,
  type LogLine,
  RecordedLog,
  readToEnd,
  record,
  type Service,
  type ServiceOptions,
  startService,
} from '../http-fixture.ts';

/* The hot routes have no answers of their own: they are held to those of the app, and to be used at all. */

interface Request {
  readonly method: string;
  readonly path: string;
  /** By name; an array is a field that is sent several times. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
}

const paths = [
  '/api/product/foo/price',
  '/api/v1/product/shoes~1;a=b/price',
  '/api/product/a%2Fb/price',
  '/api/product/%ff/price',
  '/api/product/../price',
  '/api/product/foo/price?at=2100-11-21T12:00:00Z',
  '/api/product/foo/price?x',
  '/api/product/foo/price/',
  `/api/product/${'x'.repeat(257)}/price`,
  '/api/product/foo/prices',
  '/api/reprice',
  '/api/v1/reprice',
  '/api/reprice/',
  '/api/reprice?dryRun=true',
];

const good = '{"productId":"foo","price":3.50}';

const bodies = [
  good,
  '{"productId":"shoes/1","price":"1e2"}',
  ' {"price":2,"productId":"a\\u00fc","currency":"EUR","source":"s","reason":"r"}\n',
  '{"productId":"foo","price":3,"expectedPreviousPrice":null}',
  '{"productId":"foo","price":-1}',
  '{"productId":"foo","price":1,"x":1}',
  '{"productId":"foo","productId":"bar","price":1}',
  '{"productId":"foo"',
  '\ufeff{}',
  '7',
  'x'.repeat(16_385),
];

const fields: Readonly<Record<string, readonly (string | readonly string[])[]>> = {
  host: ['localhost:80', '127.0.0.1', 'prices.example', 'a b', '', ['localhost', 'localhost']],
  accept: ['*/*', 'application/json', 'application/json, text/plain, */*', 'text/html', '*/*;q=0'],
  authorization: [
    ...['both', 'shoes', 'reader', 'nobody'].map((name) => `Bearer ${tokenOf(name)}`),
    'Basic eA==',
  ],
  'x-token': [tokenOf('both'), tokenOf('reader'), ''],
  'content-type': [
    'application/json',
    'application/json; charset=UTF-8',
    'application/x+json',
    'text/plain',
    ['application/json', 'application/json'],
  ],
  'content-encoding': ['identity', 'gzip'],
  'transfer-encoding': ['chunked'],
  'if-none-match': ['"12"', 'W/"12"', '"3"', '*', '"1", "12"'],
  'if-match': ['"12"', '*', 'x'],
  'idempotency-key': ['key', 'two words', '', ['one', 'two']],
  prefer: ['return=representation', 'return=minimal'],
  traceparent: ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'none'],
  origin: ['https://pages.example', 'https://others.example'],
  connection: ['close', 'keep-alive'],
  upgrade: ['websocket'],
  'x-forwarded-for': ['192.0.2.1'],
  cookie: ['a=b'],
};

const failures: readonly ErrorCode[] = [
  'QUEUE_FULL',
  'DRAINING',
  'PRECONDITION_FAILED',
  'STORAGE_FAILED',
  'UNKNOWN_PRODUCT',
];

const headers = fc
  .subarray(Object.entries(fields), { maxLength: 4 })
  .chain((chosen) =>
    fc.record(
      Object.fromEntries(chosen.map(([name, values]) => [name, fc.constantFrom(...values)])),
    ),
  )
  .map((sent) => ({ host: 'localhost', 'content-type': 'application/json', ...sent }));

const requests: fc.Arbitrary<Request> = fc.record({
  method: fc.constantFrom('GET', 'GET', 'POST', 'POST', 'HEAD', 'PUT'),
  path: fc.oneof(
    fc.constantFrom(...paths.slice(0, 1), ...paths.slice(10, 12)),
    fc.constantFrom(...paths),
  ),
  headers,
  body: fc.oneof(fc.constantFrom(...bodies.slice(0, 4)), fc.constantFrom(...bodies)),
});

const ledgers = fc.record({
  isRemembered: fc.boolean(),
  failure: fc.oneof(fc.constant(undefined), fc.constantFrom(...failures)),
});

const kinds: Readonly<Record<string, ServiceOptions>> = {
  'for everyone': { clients: anonymousClients },
  'on the own machine only': { clients: anonymousClients, isLocalOnly: true },
  'with tokens': {
    clients: new ChangingTokens(
      entry('both', ['read', 'reprice']),
      entry('reader', ['read']),
      entry('shoes', ['read', 'reprice'], 'shoes'),
    ),
  },
  // What comes back of it within the test is nothing.
  'with rates': { clients: anonymousClients, clientRate: 1e-20, clientBurst: 150 },
  'for pages': { clients: anonymousClients, origins: ['https://pages.example'] },
  'while it stops': { clients: anonymousClients, isDraining: () => true },
};

for (const [kind, options] of Object.entries(kinds)) {
  test(`a service ${kind} answers, logs, measures and counts the same with hot routes as without`, async (t) => {
    const hot = await startService(t, options);
    const cold = await startService(t, { ...options, isHot: false });

    const property = fc.asyncProperty(requests, ledgers, async (request, ledger) => {
      t.deepEqual(await account(hot, request, ledger), await account(cold, request, ledger));
    });

    await fc.assert(property, { numRuns: 300 });
  });
}

/** All that becomes of a request, but for when and under which random ids. */
async function account(
  service: Service,
  { method, path, headers, body }: Request,
  { isRemembered, failure }: { isRemembered: boolean; failure: ErrorCode | undefined },
) {
  const { ledger, log, observed, statistics } = service;
  ledger.remembered = isRemembered ? record() : undefined;
  // What is in memory is read without anything that could fail.
  const isSure = failure === undefined || (isRemembered && method === 'GET');
  ledger.current = isSure ? record() : new RepricerError(failure, 'for the test');
  for (const list of [ledger.updates, ledger.terms, log.lines, observed]) list.length = 0;
  const isSent = method === 'POST' || method === 'PUT';
  const length = isSent && !('transfer-encoding' in headers);
  const sent = { ...headers, ...(length && { 'content-length': `${Buffer.byteLength(body)}` }) };
  const lines = Object.entries(sent).flatMap(([name, values]) =>
    [values].flat().flatMap((value) => [name, value]),
  );
  const answer = await ask(service, path, { method, headers: lines, ...(isSent && { body }) });
  return structuredClone({
    answer: withoutChance(answer),
    updates: ledger.updates,
    terms: ledger.terms,
    lines: log.lines.map(({ level, message, fields }) => ({
      ...{ level, message },
      fields: { ...fields, durationMs: 0, spanId: '', traceId: '', error: String(fields['error']) },
    })),
    observed: observed.map((observation) => ({ ...observation, seconds: 0 })),
    counted: statistics.counted.clients.map((client) => ({ ...client, lastSeen: '' })),
  });
}

function withoutChance({ status, headers, text }: Answer) {
  const { date, traceresponse, ...rest } = headers;
  return {
    status,
    headers: rest,
    text,
    hasDate: date !== undefined,
    trace: String(traceresponse).slice(0, 3),
  };
}

const usual: readonly (Asked & { readonly name: string; readonly path: string })[] = [
  { name: 'a price', path: '/api/product/foo/price', headers: { 'user-agent': 'curl' } },
  { name: 'a price of version 1', path: '/api/v1/product/foo/price', headers: { accept: '*/*' } },
  {
    name: 'a price that may be known',
    path: '/api/product/foo/price',
    headers: { 'if-none-match': '"1"' },
  },
  { name: 'a reprice', path: '/api/reprice', method: 'POST' },
  {
    name: 'a reprice with a key',
    path: '/api/reprice',
    method: 'POST',
    headers: { 'idempotency-key': 'k' },
  },
  {
    name: 'a reprice on terms',
    path: '/api/v1/reprice',
    method: 'POST',
    headers: { 'if-match': '"1"' },
  },
];

for (const { name, path, ...asked } of usual) {
  test(`${name} is answered by the hot routes`, async (t) => {
    const port = await startHotRoutesAlone(t);
    const headers = { 'content-type': 'application/json', ...asked.headers };

    const answer = await ask({ port }, path, {
      ...asked,
      headers,
      body: asked.method === 'POST' ? good : '',
    });

    t.true(answer.status < 300, `${answer.status}`);
  });
}

/** A server without the app: what the hot routes do not take is answered with 599. */
async function startHotRoutesAlone(t: ExecutionContext): Promise<number> {
  const ledger = new FakeLedger();
  ledger.remembered = record();
  const hot = new HotRoutes({
    ledger,
    clients: anonymousClients,
    statistics: new ClientStatistics(undefined),
    observer: new RequestObserver(new RecordedLog(), { observeRequest: () => {} }),
    traces: new Traces(),
    rates: undefined,
    isLocalOnly: false,
    headers: {},
    bodyBytesMax: 1000,
    isDraining: () => false,
  });
  const server = http.createServer((request, response) => {
    if (!hot.take(request, response)) response.writeHead(599).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

for (const isHot of [true, false]) {
  const how = isHot ? 'by the hot routes' : 'by the app';

  test(`a reprice whose client hung up meanwhile is recorded and logged ${how}`, async (t) => {
    const service = await startService(t, { isHot });
    const disk = hold();
    service.ledger.gate = disk.promise;
    const socket = connect(service);
    socket.write(`${repriceHead}Content-Length: ${good.length}\r\n\r\n${good}`);
    await waitUntil(() => service.ledger.updates.length === 1);

    socket.destroy();
    await noConnections(service);
    disk.release();
    await waitUntil(() => service.log.lines.length === 1);

    t.is(service.log.lines[0]?.fields['status'], 202);
    t.is(service.statistics.counted.clients[0]?.accepted, 1);
  });

  test(`a body that breaks off is refused and logged, and records nothing, ${how}`, async (t) => {
    const service = await startService(t, { isHot });
    const socket = connect(service);

    socket.end(`${repriceHead}Content-Length: 100\r\n\r\n{"productId":`);
    const text = await readToEnd(socket);
    await waitUntil(() => lineOf(service) !== undefined);

    t.regex(text, /^HTTP\/1.1 400 /);
    t.like(lineOf(service)?.fields, { status: 400, code: 'BAD_REQUEST' });
    t.deepEqual(service.ledger.updates, []);
  });
}

for (const isHot of [true, false]) {
  const how = isHot ? 'by the hot routes' : 'by the app';

  test(`behind an answer that a stop made the last of its connection nothing is served ${how}`, async (t) => {
    let isDraining = false;
    const service = await startService(t, { isHot, isDraining: () => isDraining });
    const [slow, quick] = [hold(), hold()];
    const { ledger } = service;
    const reprice = `${repriceHead}Content-Length: ${good.length}\r\n\r\n${good}`;
    const socket = connect(service);
    const text = readToEnd(socket);
    ledger.gate = slow.promise;
    socket.write(reprice);
    await waitUntil(() => ledger.updates.length === 1);
    ledger.gate = quick.promise;
    socket.write(reprice);
    await waitUntil(() => ledger.updates.length === 2);

    isDraining = true;
    quick.release();
    await waitUntil(() => service.observed.length === 1);
    socket.write(reprice);
    await ask(service, '/api/nothing');
    // As a batch does that began to answer before the stop: its answer ends nothing.
    isDraining = false;
    slow.release();

    t.is([...(await text).matchAll(/^HTTP\/1.1 202 /gm)].length, 2);
    t.is(ledger.updates.length, 2);
  });
}

const repriceHead =
  'POST /api/reprice HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

/** The log line of the request; the app tells of a broken connection in another one before. */
function lineOf({ log }: Service): LogLine | undefined {
  return log.lines.find(({ message }) => message === 'request');
}

async function noConnections({ server }: Service): Promise<void> {
  const count = promisify(server.getConnections.bind(server));
  while ((await count()) > 0) await setImmediate();
}

async function waitUntil(claim: () => boolean): Promise<void> {
  while (!claim()) await setImmediate();
}
