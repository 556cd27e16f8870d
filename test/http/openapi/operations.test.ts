import { once } from 'node:events';
import http from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { type ParameterForm, QueryParameters } from '../../../src/http/input/query-parameters.ts';
import { createDocument } from '../../../src/http/openapi/document.ts';
import type { Answer as Described } from '../../../src/http/openapi/operation.ts';
import { createOperations } from '../../../src/http/openapi/operations.ts';
import { FaultyFiles } from '../../support/faulty-files.ts';
import {
  type LedgerService,
  type LedgerServiceParts,
  startLedgerService,
} from '../../support/ledger-service.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { bearer, ChangingTokens, entry } from '../../support/tokens.ts';
import { type Answer, ask, problemOf, testHttpLimits } from '../http-fixture.ts';
import { type Call, calls } from './calls.ts';
import { type ApiDocument, DescribedApi, type PlacedOperation } from './described-api.ts';

const operations = createOperations(testHttpLimits.pageSizeMax);

/* Every operation over HTTP, on files, held against the document. */

const operator = entry('operator', ['admin']);

const api = new DescribedApi(
  JSON.parse(JSON.stringify(createDocument(testHttpLimits.pageSizeMax))) as ApiDocument,
);

for (const { id, method, path, scope, answers } of operations) {
  test(`${method.toUpperCase()} ${path} is asked and answers as it is described`, async (t) => {
    const operation = placed(id);
    const ofOperation = calls[id] ?? [];
    const isRefusal = ({ problem }: Call) => problem !== undefined;
    t.true(ofOperation.some(isRefusal), 'a refusal is called for');

    for (const prefix of operation.prefixes) {
      // Nobody is an operator without a token.
      const parts = scope === 'admin' ? { clients: new ChangingTokens(operator) } : {};
      const service = await start(t, parts);
      const met = new Set<string>();
      for (const call of ofOperation) {
        const answer = await send(service, prefix, operation, call);
        check(t, operation, call, answer);
        met.add(kindOf(answer));
      }
      t.deepEqual(
        answers.flatMap(kindsIn).filter((kind) => !met.has(kind)),
        [],
        'not called for',
      );
    }
  });
}

test('an answer and a request that are not as described are told', (t) => {
  const operation = placed('price');
  const good = {
    status: 200,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      etag: '"2"',
    },
    text: '{"productId":"foo","price":3.55,"timestamp":1.0,"previousPrice":null,"version":2,"seq":2}',
  };
  const { 'cache-control': _, ...lacking } = good.headers;

  t.deepEqual(api.faultsInAnswer(operation, good), []);
  for (const answer of [
    { ...good, status: 418 },
    { ...good, headers: lacking },
    { ...good, headers: { ...good.headers, etag: '2' } },
    { ...good, headers: { ...good.headers, 'x-powered-by': 'magic' } },
    { ...good, headers: { ...good.headers, 'content-type': 'text/html' } },
    { ...good, text: good.text.replace('3.55', '"3.55"') },
    { ...good, text: good.text.replace('"seq"', '"sequence"') },
    { ...good, text: `${good.text},` },
  ]) {
    t.is(api.faultsInAnswer(operation, answer).length, 1, JSON.stringify(answer));
  }
  t.deepEqual(api.faultsInRequest(operation, { path: { productId: 'foo' } }), []);
  for (const call of [
    {},
    { path: { productId: '..' } },
    { path: { productId: 'foo' }, query: { att: '' } },
    { path: { productId: 'foo' }, body: '{}', headers: { 'Content-Type': 'application/json' } },
  ]) {
    t.is(api.faultsInRequest(operation, call).length, 1, JSON.stringify(call));
  }
});

for (const { id, method, path, scope } of operations) {
  if (scope === undefined) continue;
  test(`${method.toUpperCase()} ${path} answers and refuses as it is described where there are tokens and rates`, async (t) => {
    const clients = new ChangingTokens(
      entry('good', [scope]),
      entry('other', [scope === 'admin' ? 'read' : 'admin']),
      entry('shoes', [scope], 'shoes/'),
    );
    // So slow that nothing comes back during the test, and room for the lines of a batch.
    const limits = { clientRate: 0.01, clientBurst: 4 };
    const service = await start(t, { clients, limits });
    const operation = placed(id);
    const ofOperation = calls[id] ?? [];
    const call = ofOperation.find(({ headers }) => headers?.['Prefer'] !== undefined);
    const { isEndless, ...asked } = call ?? ofOperation[0] ?? { status: 0 };
    const sent = (name?: string) => {
      const headers = { ...asked.headers, ...(name !== undefined && bearer(name)) };
      const isEndlessNow = isEndless === true && name === 'good' ? { isEndless } : {};
      return send(service, '/api', operation, { ...asked, headers, ...isEndlessNow });
    };

    const good = await sent('good');
    const refused = [await sent(), await sent('shoes')];
    for (let count = 0; count <= 4; count += 1) refused.push(await sent('other'));

    for (const answer of [good, ...refused]) t.deepEqual(api.faultsInAnswer(operation, answer), []);
    t.is(good.status, asked.status);
    t.is(good.headers['ratelimit-policy'], '"client";q=4;w=400');
    if (id === 'reprice') t.regex(good.text, /"actor":"good"/);
    // A batch tells it in the lines of its answer.
    const outside = id === 'repriceBatch' ? 200 : 403;
    t.deepEqual(
      refused.map(({ status }) => status),
      [401, outside, 403, 403, 403, 403, 429],
    );
  });
}

test('a single write and an atomic batch that nobody could record now are refused as it is described', async (t) => {
  const files = new FaultyFiles();
  files.setRoom({ freeBytes: 10, freeFiles: 10 });
  const parts = { files, options: { freeBytesMin: 1000 } };
  const full = await startLedgerService(t, await temporaryDirectory(t), parts);
  const closed = await start(t);
  await closed.ledger.setReadOnly(true);
  const headers = { 'Content-Type': 'application/json' };
  const body = '{"productId":"foo","price":1}';

  for (const [service, status, type] of [
    [full, 507, '/problems/no-space'],
    [closed, 503, '/problems/read-only'],
  ] as const) {
    for (const [id, query, text] of [
      ['reprice', {}, body],
      ['repriceBatch', { atomic: 'true' }, `[${body}]`],
    ] as const) {
      const call = { status, query, headers, body: text };
      const answer = await send(service, '/api', placed(id), call);

      t.deepEqual(api.faultsInAnswer(placed(id), answer), [], id);
      t.is(answer.status, status, id);
      t.is(problemOf(answer).type, type, id);
    }
  }
});

test('what is refused before any operation is described too', async (t) => {
  const service = await startLedgerService(t, await temporaryDirectory(t));
  const refused = (name: string) => ({ $ref: `#/components/responses/${name}` });
  const responses = {
    404: refused('NotFoundProblem'),
    405: refused('MethodNotAllowedProblem'),
    431: refused('HeadersTooLargeProblem'),
  };
  const price = placed('price');
  const nowhere = { ...price, described: { ...price.described, responses } };

  const answers = [
    await ask(service, '/api/nothing'),
    await ask(service, '/api/query', { method: 'DELETE' }),
    await ask(service, '/api/query', { headers: { padding: 'x'.repeat(9000) } }),
  ];

  t.deepEqual(
    answers.map(({ status }) => status),
    [404, 405, 431],
  );
  for (const answer of answers) t.deepEqual(api.faultsInAnswer(nowhere, answer), []);
});

test.serial(
  'each operation takes the query parameters that are described, by their schemas',
  async (t) => {
    const taken = spyOnParameters(t);

    for (const { id, below } of operations.filter(({ parameters }) => parameters.some(isInQuery))) {
      taken.clear();
      const service = await start(t);
      const operation = placed(id);
      for (const call of calls[id] ?? []) {
        await send(service, below === 'api' ? '/api' : '', operation, call);
      }

      const described = operation.described.parameters.filter(isInQuery).map(({ name, schema }) => {
        const { default: _, ...form } = (schema['items'] ?? schema) as Record<string, unknown>;
        return [name, form] as const;
      });
      t.deepEqual(Object.fromEntries(taken), Object.fromEntries(described), id);
    }
  },
);

function isInQuery(parameter: { readonly in: string }): boolean {
  return parameter.in === 'query';
}

function placed(id: string): PlacedOperation {
  const found = api.operations.find(({ described }) => described.operationId === id);
  if (found === undefined) throw new Error(`${id} is not in the document`);
  return found;
}

/** Status and media types of a described answer, none where it has no body. */
function kindsIn({ status, content }: Described): readonly string[] {
  const mediaTypes = content === undefined ? [''] : Object.keys(content);
  return mediaTypes.map((mediaType) => `${status} ${mediaType}`);
}

function kindOf({ status, headers }: Answer): string {
  const [mediaType = ''] = (headers['content-type'] ?? '').split(';');
  return `${status} ${mediaType}`;
}

function check(t: ExecutionContext, operation: PlacedOperation, call: Call, answer: Answer): void {
  const label = JSON.stringify(call).slice(0, 300);
  t.is(answer.status, call.status, `${label} ${answer.text.slice(0, 300)}`);
  t.deepEqual(api.faultsInAnswer(operation, answer), [], label);
  if (call.problem !== undefined) t.is(problemOf(answer).type, call.problem, label);
  const faults = api.faultsInRequest(operation, call);
  t.is(faults.length > 0, call.isWrong ?? false, `${label} ${faults.join()}`);
}

/** A service whose ledger has two versions of the product "foo". */
async function start(t: ExecutionContext, parts: LedgerServiceParts = {}): Promise<LedgerService> {
  const service = await startLedgerService(t, await temporaryDirectory(t), parts);
  await service.set('foo', '3.50');
  await service.set('foo', '3.55');
  return service;
}

function send(
  service: LedgerService,
  prefix: string,
  { method, path }: PlacedOperation,
  { path: values = {}, query = {}, headers = {}, body, isEndless }: Call,
): Promise<Answer> {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(values[name] ?? ''),
  );
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((text) => `${name}=${encodeURIComponent(text)}`),
  );
  const url = `${prefix}${filled}?${pairs.join('&')}`;
  if (isEndless === true) return askForBeginning(service, url, headers);
  return ask(service, url, {
    method: method.toUpperCase(),
    headers,
    ...(body !== undefined && { body }),
  });
}

/** The answer up to its first price event. */
async function askForBeginning(
  { port }: LedgerService,
  path: string,
  headers: http.OutgoingHttpHeaders,
): Promise<Answer> {
  const request = http.get({ port, path, headers, agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  let text = '';
  for await (const chunk of response) {
    text += String(chunk);
    if (/event: price\n(?:.+\n)+\n/.test(text)) break;
  }
  request.destroy();
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

/** Which parameters are taken of queries, each with the schema of its form, until the test ends. */
function spyOnParameters(t: ExecutionContext): Map<string, unknown> {
  const taken = new Map<string, unknown>();
  const { one, all } = QueryParameters.prototype;
  QueryParameters.prototype.one = function spy<Value>(
    this: QueryParameters,
    names: readonly [string, ...string[]],
    form: ParameterForm<Value>,
  ) {
    for (const name of names) taken.set(name, form.schema);
    return one.call(this, names, form) as Value | undefined;
  };
  QueryParameters.prototype.all = function spy<Value>(
    this: QueryParameters,
    name: string,
    form: ParameterForm<Value>,
    valuesMax: number,
  ) {
    taken.set(name, form.schema);
    return all.call(this, name, form, valuesMax) as readonly Value[];
  };
  t.teardown(() => Object.assign(QueryParameters.prototype, { one, all }));
  return taken;
}
