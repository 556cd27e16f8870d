import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Router from '@koa/router';
import { Validator } from '@seriousme/openapi-schema-validator';
import test from 'ava';
import type Koa from 'koa';
import { anonymousClients } from '../../../src/access/client.ts';
import { ClientStatistics } from '../../../src/access/client-statistics.ts';
import { createApp } from '../../../src/app.ts';
import { PriceFeed } from '../../../src/http/feed/price-feed.ts';
import { createDocument } from '../../../src/http/openapi/document.ts';
import { projectRoot } from '../../support/project-root.ts';
import { ask, FakeLedger, RecordedLog, startService, testHttpLimits } from '../http-fixture.ts';
import { type ApiDocument, DescribedApi } from './described-api.ts';

test('the document is valid OpenAPI 3.1', async (t) => {
  const { valid, errors } = await validate(documentAsSent());

  t.true(valid, JSON.stringify(errors));
});

test('the check that it is valid finds what is broken', async (t) => {
  const whole = documentAsSent();

  for (const broken of [
    { ...whole, info: { title: 'no version' } },
    { ...whole, paths: { '/a': { get: { responses: { 200: { headers: {} } } } } } },
    { ...whole, servers: '/api' },
    { ...whole, components: { schemas: { 'not a name': {} } } },
  ]) {
    t.false((await validate(broken)).valid);
  }
});

test('every route is described, and nothing else', (t) => {
  const { operations } = new DescribedApi(documentAsSent());

  const described = operations.flatMap(({ method, path, prefixes }) =>
    prefixes.map((prefix) => `${method.toUpperCase()} ${prefix}${path}`),
  );

  t.deepEqual(described.sort(), routesOf(testApp()).sort());
});

test('every type of problem that a client can meet is described', async (t) => {
  const source = await readFile(join(await projectRoot(), 'src/errors.ts'), 'utf8');
  const codes = [...source.matchAll(/^ {2}\| '([A-Z_]+)'/gm)].map(([, code = '']) => code);
  const ofStart = ['DIRECTORY_LOCKED', 'INVALID_CONFIG'];
  const expected = codes
    .filter((code) => !ofStart.includes(code))
    .map((code) => `/problems/${code.toLowerCase().replaceAll('_', '-')}`);

  const { schemas } = documentAsSent().components;
  const types = Object.values(schemas).flatMap((schema) => {
    const { type } = (schema['properties'] ?? {}) as { type?: { const?: string } };
    return type?.const ?? [];
  });

  t.true(codes.length > 25);
  t.deepEqual(types.sort(), expected.sort());
});

test('every example in the document is right', (t) => {
  const api = new DescribedApi(documentAsSent());

  t.deepEqual(api.faultsInExamples(), []);
});

test('the document is sent with a strong ETag, and not again to who has it', async (t) => {
  const service = await startService(t);

  const first = await ask(service, '/openapi.json');
  const etag = first.headers.etag ?? '';
  const again = await ask(service, '/openapi.json', { headers: { 'if-none-match': etag } });

  t.is(first.status, 200);
  t.is(first.headers['content-type'], 'application/json; charset=utf-8');
  t.is(first.headers['cache-control'], 'no-cache');
  t.is(first.headers['x-content-type-options'], 'nosniff');
  t.regex(etag, /^"[\w-]{43}"$/);
  t.deepEqual(JSON.parse(first.text), documentAsSent());
  t.is(again.status, 304);
  t.is(again.text, '');
});

test('the document is the same in every process, so that its ETag is', (t) => {
  t.is(JSON.stringify(createDocument(1000)), JSON.stringify(createDocument(1000)));
});

function documentAsSent(): ApiDocument {
  return JSON.parse(JSON.stringify(createDocument(1000))) as ApiDocument;
}

/** The validator resolves references in place, so it gets a copy. */
function validate(document: object) {
  return new Validator().validate(structuredClone(document) as Record<string, unknown>);
}

function testApp(): Koa {
  const ledger = new FakeLedger();
  const log = new RecordedLog();
  const feedLimits = { streamHeartbeatMs: 1000, streamStallMs: 1000, streamSubscribersMax: 1 };
  return createApp({
    ledger,
    feed: new PriceFeed(ledger, feedLimits, log),
    clients: anonymousClients,
    statistics: new ClientStatistics(undefined),
    log,
    metrics: { observeRequest: () => {} },
    limits: testHttpLimits,
    isDraining: () => false,
    readFile,
  });
}

/** Methods and paths of the app's route tables, with parameters in braces. HEAD comes with every GET. */
function routesOf(app: Koa): string[] {
  const routers = app.middleware.flatMap((middleware) =>
    'router' in middleware ? [middleware.router as Router] : [],
  );
  const layers = routers.flatMap(({ stack }) => stack);
  return layers.flatMap(({ methods, path }) =>
    methods
      .filter((method) => method !== 'HEAD')
      .map((method) => `${method} ${String(path).replaceAll(/:(\w+)/g, '{$1}')}`),
  );
}
