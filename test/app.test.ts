import test from 'ava';
import fc from 'fast-check';
import { RepricerError } from '../src/errors.ts';
import { createOperations } from '../src/http/openapi/operations.ts';
import { toPrice } from '../src/model/price.ts';
import { parseInstant } from '../src/model/timestamp.ts';
import {
  type Answer,
  ask,
  hold,
  post,
  record,
  type Service,
  startService,
  testHttpLimits,
} from './http/http-fixture.ts';
import { price, productId } from './support/records.ts';

const operations = createOperations(testHttpLimits.pageSizeMax);

const good = '{"productId":"foo","price":3.55}';

interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

function problemOf(answer: Answer): ProblemBody {
  if (answer.headers['content-type']?.startsWith('application/problem+json') !== true) {
    throw new Error(`not a problem: ${answer.status} ${answer.text}`);
  }
  return JSON.parse(answer.text) as ProblemBody;
}

function pointersOf(answer: Answer): readonly string[] {
  return (problemOf(answer).errors ?? []).map(({ pointer }) => pointer);
}

function details(answer: Answer): string {
  return JSON.stringify(problemOf(answer).errors);
}

// --- POST /api/reprice ---

test('a reprice is answered 202 with an empty body once the ledger has it', async (t) => {
  const service = await startService(t);
  const disk = hold();
  service.ledger.gate = disk.promise;
  let isAnswered = false;

  const answering = post(service, good).finally(() => {
    isAnswered = true;
  });
  await ask(service, '/api/nothing');
  t.false(isAnswered);
  disk.release();
  const answer = await answering;

  t.is(answer.status, 202);
  t.is(answer.text, '');
  t.is(answer.headers['content-length'], '0');
  t.is(answer.headers['content-type'], undefined);
  t.is(answer.headers['transfer-encoding'], undefined);
  t.is(answer.headers.location, '/api/product/foo/price');
  t.is(answer.headers.etag, '"12"');
  t.is(answer.headers['repricer-seq'], '8001');
  t.is(answer.headers['cache-control'], 'no-store');
  t.is(answer.headers['x-content-type-options'], 'nosniff');
  t.deepEqual(service.ledger.updates, [{ productId: productId('foo'), newPrice: price('3.55') }]);
  t.deepEqual(service.ledger.terms, [{}]);
});

test('currency, source and reason reach the ledger', async (t) => {
  const service = await startService(t);

  await post(
    service,
    '{"productId":"foo","price":"1","currency":"EUR","source":"s","reason":"because"}',
  );

  t.deepEqual(service.ledger.updates, [
    {
      productId: productId('foo'),
      newPrice: price('1.0'),
      currency: 'EUR',
      source: 's',
      reason: 'because',
    },
  ]);
});

test('return=representation is answered with the record and its place, prices digit by digit', async (t) => {
  const service = await startService(t);

  for (const prefer of ['return=representation', 'wait=5, Return="representation"; a=b']) {
    const answer = await post(
      service,
      '{"productId":"foo","price":3.550,"currency":"EUR","reason":"a \\"b\\""}',
      { prefer },
    );

    t.is(answer.status, 202);
    t.is(answer.headers['preference-applied'], 'return=representation');
    t.is(answer.headers['content-type'], 'application/json; charset=utf-8');
    t.is(
      answer.text,
      '{"seq":8001,"batch":7990,"productId":"foo","version":12,"previousPrice":3.50,"newPrice":3.550,' +
        '"timestamp":"2026-11-21T01:11:15.355823Z","currency":"EUR","reason":"a \\"b\\"",' +
        '"unchanged":false,"file":"results/date=2026-11-21/1.ndjson","offset":120,"length":140}',
    );
  }
});

test('other preferences change nothing', async (t) => {
  const service = await startService(t);

  for (const prefer of ['return=minimal', 'xreturn=representation', 'return=representations']) {
    const answer = await post(service, good, { prefer });

    t.is(answer.text, '', prefer);
    t.is(answer.headers['preference-applied'], undefined);
  }
});

test('If-None-Match: * asks the ledger for a new product, and its refusal is 412', async (t) => {
  const service = await startService(t);
  service.ledger.current = new RepricerError('PRECONDITION_FAILED', 'the product has a price');

  const answer = await post(service, good, { 'if-none-match': '*' });

  t.is(answer.status, 412);
  t.is(problemOf(answer).type, '/problems/precondition-failed');
  t.deepEqual(service.ledger.terms, [{ mustBeNew: true }]);
});

test('a reprice under /api/v1 tells of places under /api/v1', async (t) => {
  const service = await startService(t);
  const headers = { 'content-type': 'application/json' };
  const asked = { method: 'POST', headers, body: '{"productId":"a b","price":1}' };

  const locations = await Promise.all(
    ['/api', '/api/v1'].map(async (base) => {
      const answer = await ask(service, `${base}/reprice`, asked);
      return answer.headers.location;
    }),
  );

  t.deepEqual(locations, ['/api/product/a%20b/price', '/api/v1/product/a%20b/price']);
});

test('an entity tag with a comma in it is one tag, and of no version', async (t) => {
  const service = await startService(t);
  const headers = { 'content-type': 'application/json', 'if-match': '"1,2", "3"' };

  await ask(service, '/api/reprice', {
    method: 'POST',
    headers,
    body: '{"productId":"a","price":1}',
  });

  t.deepEqual(service.ledger.terms[0]?.versions, [3]);
});

test('any other If-None-Match on a reprice is 400 and nothing is written', async (t) => {
  const service = await startService(t);

  for (const value of ['"12"', '*, *', 'W/"1"']) {
    t.is((await post(service, good, { 'if-none-match': value })).status, 400, value);
  }

  t.deepEqual(service.ledger.updates, []);
});

test('a reprice with a query parameter that nobody knows is refused, as it was meant to do something else', async (t) => {
  const service = await startService(t);

  const answer = await ask(service, '/api/reprice?dryrun=true', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: good,
  });

  t.is(answer.status, 400);
  t.deepEqual(pointersOf(answer), ['#/dryrun']);
  t.deepEqual(service.ledger.updates, []);
});

test('every price that the model accepts reaches the ledger and the reader with its own digits', async (t) => {
  const service = await startService(t);
  const digits = (min: number, max: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: min, maxLength: max });
  const texts = fc
    .tuple(fc.nat({ max: 999_999_999_999 }).map(String), digits(0, 6))
    .map(([integer, fraction]) => (fraction === '' ? integer : `${integer}.${fraction}`))
    .filter((text) => toPrice(text) !== undefined);

  await fc.assert(
    fc.asyncProperty(texts, fc.boolean(), async (text, isString) => {
      const written = isString ? JSON.stringify(text) : text;
      const answer = await post(service, `{"productId":"foo","price":${written}}`);
      if (answer.status !== 202) throw new Error(answer.text);
      const newPrice = service.ledger.updates.at(-1)?.newPrice;
      if (newPrice !== (text.includes('.') ? text : `${text}.0`)) throw new Error(newPrice);
      service.ledger.current = record({ newPrice });
      const read = await ask(service, '/api/product/foo/price');
      if (!read.text.includes(`"price":${newPrice},`)) throw new Error(read.text);
    }),
    { numRuns: 100 },
  );
  t.pass();
});

test('a price in any other form is refused, with the rule', async (t) => {
  const service = await startService(t);
  const refused: readonly (readonly [string, RegExp])[] = [
    ['0', /greater than 0/],
    ['-0', /greater than 0/],
    ['-1', /greater than 0/],
    ['1e3', /plain decimal/],
    ['1e400', /plain decimal/],
    ['"NaN"', /plain decimal/],
    ['"01"', /plain decimal/],
    ['" 1"', /plain decimal/],
    ['1.1234567', /6 fraction digits/],
    ['1234567890123', /12 integer digits/],
    ['null', /number/],
    ['true', /number/],
    ['[3]', /number/],
    ['{"value":"3","isLosslessNumber":true}', /number/],
  ];

  for (const [text, rule] of refused) {
    const answer = await post(service, `{"productId":"foo","price":${text}}`);

    t.is(answer.status, 400, text);
    t.deepEqual(pointersOf(answer), ['#/price'], text);
    t.regex(details(answer), rule, text);
  }
  t.deepEqual(service.ledger.updates, []);
});

test('all problems of a body are told at once, each with its pointer', async (t) => {
  const service = await startService(t);

  const answer = await post(
    service,
    '{"productId":"","price":0,"currency":"Euro","source":"","reason":1,"a/b~c d":1,"__proto__":{}}',
  );

  t.is(answer.status, 400);
  t.is(answer.headers['cache-control'], 'no-store');
  const { type, title, status } = problemOf(answer);
  t.deepEqual(
    { type, title, status },
    { type: '/problems/bad-request', title: 'Bad request', status: 400 },
  );
  t.deepEqual(
    [...pointersOf(answer)].sort(),
    [
      '#/__proto__',
      '#/a~1b~0c%20d',
      '#/currency',
      '#/price',
      '#/productId',
      '#/reason',
      '#/source',
    ].sort(),
  );
});

test('missing fields are named', async (t) => {
  const service = await startService(t);

  const answer = await post(service, '{}');

  t.deepEqual(problemOf(answer).errors, [
    { pointer: '#/productId', detail: 'is required' },
    { pointer: '#/price', detail: 'is required' },
  ]);
});

test('unknown fields are refused, and neither their names nor their number make the answer long', async (t) => {
  const service = await startService(t);
  const long = 'x'.repeat(5000);
  const many = Array.from({ length: 1000 }, (_, index) => `"f${index}":1`).join(',');

  const named = await post(service, `{"productId":"foo","price":1,"${long}":1,"\\ud800":1}`);
  const numbered = await post(service, `{"productId":"foo","price":1,${many}}`);

  t.deepEqual(pointersOf(named), ['#', '#/%EF%BF%BD']);
  t.true(named.text.length < 1000);
  t.is(pointersOf(numbered).length, 32);
  t.deepEqual(service.ledger.updates, []);
});

test('names of object properties are product ids like others, and unknown fields like others', async (t) => {
  const service = await startService(t);
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '../x', 'a/b', '%2e%2e'];

  for (const name of names) {
    const answer = await post(service, JSON.stringify({ productId: name, price: 1 }));
    t.is(answer.status, 202, name);
    t.is(answer.headers.location, `/api/product/${encodeURIComponent(name)}/price`);
    if (name.includes('/') || name.includes('%')) continue;
    const field = await post(service, `{"productId":"foo","price":1,"${name}":{"prototype":1}}`);
    t.is(field.status, 400, name);
    t.deepEqual(pointersOf(field), [`#/${name}`]);
  }

  t.deepEqual<readonly string[], string[]>(
    service.ledger.updates.map((update) => update.productId),
    names,
  );
});

test('product ids that could mislead a reader are refused', async (t) => {
  const service = await startService(t);
  const refused = [
    '.',
    '..',
    ' ',
    'a\u0000',
    'a\r\n',
    'a\u0085',
    'a\u2028b',
    'a\u202eb',
    '\ud800',
    'x'.repeat(257),
  ];

  for (const id of refused) {
    const answer = await post(service, JSON.stringify({ productId: id, price: 1 }));
    t.is(answer.status, 400, JSON.stringify(id));
    t.deepEqual(pointersOf(answer), ['#/productId']);
  }
  t.deepEqual(service.ledger.updates, []);
});

test('what is not one JSON object is 400', async (t) => {
  const service = await startService(t, { bodyBytesMax: 100_000 });
  const bodies: readonly (string | Buffer)[] = [
    '',
    ' ',
    '{',
    '{"productId":"foo","price":3.}',
    '{"productId":"foo","price":01}',
    "{'productId':'foo','price':1}",
    `${good}${good}`,
    '3',
    '"foo"',
    'null',
    'true',
    '[]',
    `[${good}]`,
    `\ufeff${good}`,
    '{"productId":"foo","price":1,"price":2}',
    '{"productId":"foo","productId":"bar","price":1}',
    Buffer.from([...Buffer.from('{"productId":"'), 0xff, ...Buffer.from('","price":1}')]),
    '['.repeat(40_000) + ']'.repeat(40_000),
    '{"a":'.repeat(15_000),
  ];

  for (const body of bodies) {
    const answer = await post(service, body);
    t.is(answer.status, 400, body.toString().slice(0, 50));
    t.is(problemOf(answer).type, '/problems/bad-request');
    t.true(answer.text.length < 400);
  }
  t.deepEqual(service.ledger.updates, []);
  t.is((await post(service, good)).status, 202);
});

test('JSON that is no object is refused as that, and not for its fields', async (t) => {
  const service = await startService(t);

  for (const body of ['3', 'null', '"foo"', '[]', 'true']) {
    t.deepEqual(problemOf(await post(service, body)).errors, [
      { pointer: '#', detail: 'must be a JSON object' },
    ]);
  }
});

test('JSON in UTF-8 is taken under any name that it has', async (t) => {
  const service = await startService(t);
  const types = [
    'application/json',
    'Application/JSON; charset=UTF-8',
    'application/json;charset="utf-8"',
    'application/json;',
    'application/merge-patch+json',
  ];

  for (const type of types) {
    t.is((await post(service, good, { 'content-type': type })).status, 202, type);
  }
  t.is((await post(service, good, { 'content-encoding': 'identity' })).status, 202);
});

test('other media types, charsets and encodings are 415', async (t) => {
  const service = await startService(t);
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=utf-7',
    'application/json; charset=iso-8859-1',
    'application/jsonx',
    'application/json, text/plain',
    'text/json',
    '',
  ];

  for (const type of types) {
    t.is((await post(service, good, { 'content-type': type })).status, 415, type);
  }
  t.is((await ask(service, '/api/reprice', { method: 'POST', body: good })).status, 415);
  for (const encoding of ['gzip', 'br', 'deflate', 'zstd', 'gzip, gzip', 'x']) {
    const answer = await post(service, good, { 'content-encoding': encoding });
    t.is(answer.status, 415, encoding);
    t.is(problemOf(answer).type, '/problems/unsupported-media-type');
  }
  t.deepEqual(service.ledger.updates, []);
});

test('a media type takes no longer to refuse for the blanks in it', async (t) => {
  const service = await startService(t);
  const filled = (filling: string) => `application/json; charset=utf-8${filling.repeat(7000)}x`;
  const [plain, blank]: [number[], number[]] = [[], []];

  for (let round = 0; round < 10; round += 1) {
    plain.push(await millisecondsOf(() => post(service, good, { 'content-type': filled('y') })));
    blank.push(await millisecondsOf(() => post(service, good, { 'content-type': filled(' ') })));
  }

  t.true(Math.min(...blank) < 5 * Math.min(...plain), `${blank} against ${plain}`);
});

async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

test('a body of just the limit is taken, one byte more is 413, and the connection lives', async (t) => {
  const service = await startService(t, { bodyBytesMax: 1000 });
  const bodyOf = (bytes: number) => good.padEnd(bytes);

  const connection = 'keep-alive';
  const taken = await post(service, bodyOf(1000), { connection });
  const declared = await post(service, bodyOf(1001), { connection });
  const chunked = await post(service, bodyOf(1001), {
    connection,
    'transfer-encoding': 'chunked',
  });

  t.is(taken.status, 202);
  t.is(taken.headers.connection, 'keep-alive');
  for (const answer of [declared, chunked]) {
    t.is(answer.status, 413);
    t.is(answer.headers.connection, 'keep-alive');
    t.regex(problemOf(answer).detail, /1000 bytes/);
  }
  t.is(service.ledger.updates.length, 1);
});

// --- GET /api/product/{productId}/price ---

test('a price is shown with exact digits, its fields in the documented order', async (t) => {
  const service = await startService(t);

  const answer = await ask(service, '/api/product/foo/price');

  t.is(answer.status, 200);
  t.is(
    answer.text,
    '{"productId":"foo","price":3.55,"timestamp":1795223475.355823,"previousPrice":3.50,"version":12,"seq":8001}',
  );
  t.is(answer.headers['content-type'], 'application/json; charset=utf-8');
  t.is(answer.headers.etag, '"12"');
  t.is(answer.headers['cache-control'], 'no-cache');
  t.is(answer.headers['x-content-type-options'], 'nosniff');
});

test('a client that has this version gets 304 without a body', async (t) => {
  const service = await startService(t);
  const path = '/api/product/foo/price';

  for (const value of ['"12"', 'W/"12"', '"11", "12"', '*']) {
    const answer = await ask(service, path, { headers: { 'if-none-match': value } });
    t.is(answer.status, 304, value);
    t.is(answer.text, '');
    t.is(answer.headers.etag, '"12"');
    t.is(answer.headers['cache-control'], 'no-cache');
  }
  // As fetch() sends it.
  const fetched = { 'if-none-match': '"12"', 'cache-control': 'no-cache' };
  t.is((await ask(service, path, { headers: fetched })).status, 304);
  t.is((await ask(service, path, { headers: { 'if-none-match': '"11"' } })).status, 200);
});

test('a product that has no price is 404', async (t) => {
  const service = await startService(t);
  service.ledger.current = new RepricerError('UNKNOWN_PRODUCT', 'no price was ever recorded');

  const answer = await ask(service, '/api/product/foo/price');

  t.is(answer.status, 404);
  t.is(problemOf(answer).type, '/problems/unknown-product');
});

test('any product id works percent-encoded in the path', async (t) => {
  const service = await startService(t);
  const ids = [
    'a/b',
    '100%',
    '%2f',
    'two words',
    '💶 é',
    '__proto__',
    '../x',
    '?a=b#c',
    'a+b',
    '"',
    '{}',
  ];

  for (const id of ids) {
    const answer = await ask(service, `/api/product/${encodeURIComponent(id)}/price`);
    t.is(answer.status, 200, id);
    t.true(answer.text.startsWith(`{"productId":${JSON.stringify(id)},`), answer.text);
  }
  t.deepEqual<readonly string[], string[]>(service.ledger.products, ids);
});

test('a path that names no product id is 400', async (t) => {
  const service = await startService(t);
  const segments = ['%', '%ff', '%zz', '%00', '%2e', '%2E.', '%20', 'a%0d', 'x'.repeat(257)];

  for (const segment of segments) {
    const answer = await ask(service, `/api/product/${segment}/price`);
    t.is(answer.status, 400, segment);
    t.deepEqual(pointersOf(answer), ['#/productId']);
  }
  t.deepEqual(service.ledger.products, []);
});

test('a price with a query parameter is refused, as another price was meant', async (t) => {
  const service = await startService(t);

  const answer = await ask(service, '/api/product/foo/price?currency=EUR');

  t.is(answer.status, 400);
  t.deepEqual(pointersOf(answer), ['#/currency']);
});

// --- GET /api/query ---

test('a query shows an array of prices', async (t) => {
  const service = await startService(t);

  const answer = await ask(service, '/api/query');

  t.is(answer.status, 200);
  t.is(
    answer.text,
    '[{"productId":"foo","price":3.0,"timestamp":1795223475.355823,"previousPrice":null,"version":1,"seq":1},' +
      '{"productId":"foo","price":3.55,"timestamp":1795223475.355823,"previousPrice":3.50,"version":12,"seq":8001}]',
  );
  t.is(answer.headers['content-type'], 'application/json; charset=utf-8');
  t.is(answer.headers['cache-control'], 'no-cache');
});

test('query parameters reach the ledger, with their defaults', async (t) => {
  const service = await startService(t);

  await ask(service, '/api/query');
  await ask(
    service,
    '/api/query?productId=a%2Fb&productId=two+words&productId=a%2Fb&order=desc&pageSize=1000&pageNumber=9007199254740991' +
      '&from=2026-11-21T01:11:15.0000001Z&to=2026-11-21T03:11:15.0000019%2B01:00&',
  );
  await ask(service, '/api/query?pagesize=7');

  t.deepEqual(service.ledger.queries, [
    { productIds: [], order: 'asc', pageSize: 25, pageNumber: 1 },
    {
      productIds: [productId('a/b'), productId('two words')],
      from: parseInstant('2026-11-21T01:11:15.000001Z', 'down') ?? t.fail(),
      to: parseInstant('2026-11-21T02:11:15.000001Z', 'down') ?? t.fail(),
      order: 'desc',
      pageSize: 1000,
      pageNumber: 9_007_199_254_740_991,
    },
    { productIds: [], order: 'asc', pageSize: 7, pageNumber: 1 },
  ]);
});

test('a query may end at the end of time', async (t) => {
  const service = await startService(t);

  const answer = await ask(service, '/api/query?to=9999-12-31T23:59:59Z');

  t.is(answer.status, 200);
  t.true((service.ledger.queries[0]?.to ?? 0) > 0);
});

test('a query parameter that is misspelt, repeated or out of bounds is 400', async (t) => {
  const service = await startService(t);
  const refused: readonly (readonly [string, string])[] = [
    ['productID=foo', '#/productID'],
    ['__proto__=1', '#/__proto__'],
    ['productId', '#/productId'],
    ['productId=.', '#/productId'],
    ['from=', '#/from'],
    ['from=2026-11-21', '#/from'],
    ['from=2026-11-21T01:11:15', '#/from'],
    ['from=2026-02-30T01:11:15Z', '#/from'],
    ['to=1795223475', '#/to'],
    ['to=2026-11-21T01:11:15Z&to=2026-11-21T01:11:15Z', '#/to'],
    ['order=ASC', '#/order'],
    ['pageSize=0', '#/pageSize'],
    ['pageSize=1001', '#/pageSize'],
    ['pageSize=1e2', '#/pageSize'],
    ['pageSize=1&pagesize=1', '#/pageSize'],
    ['pagesize=x', '#/pageSize'],
    ['pageNumber=0', '#/pageNumber'],
    ['pageNumber=-1', '#/pageNumber'],
    ['pageNumber=1.0', '#/pageNumber'],
    ['pageNumber=%2B1', '#/pageNumber'],
    ['pageNumber=9007199254740992', '#/pageNumber'],
    [Array.from({ length: 51 }, (_, index) => `productId=p${index}`).join('&'), '#/productId'],
  ];

  for (const [query, pointer] of refused) {
    const answer = await ask(service, `/api/query?${query}`);
    t.is(answer.status, 400, query);
    t.deepEqual(pointersOf(answer), [pointer], query);
  }
  t.deepEqual(service.ledger.queries, []);
});

test('all problems of a query are told at once', async (t) => {
  const service = await startService(t);

  const answer = await ask(service, '/api/query?from=x&to=y&pageSize=z&nonsense=1');

  t.deepEqual(pointersOf(answer), ['#/from', '#/to', '#/pageSize', '#/nonsense']);
});

test('the + of an offset that was sent as it is, and so became a space, is explained', async (t) => {
  const service = await startService(t);

  const answer = await ask(service, '/api/query?from=2026-11-21T01:11:15+01:00');

  t.is(answer.status, 400);
  t.regex(details(answer), /%2B/);
});

test('a query that is not percent-encoded UTF-8 is 400', async (t) => {
  const service = await startService(t);

  for (const query of ['productId=%ff', 'productId=%', '%zz=1']) {
    t.is((await ask(service, `/api/query?${query}`)).status, 400, query);
  }
  t.deepEqual(service.ledger.queries, []);
});

// --- Every route ---

test('every route of /api is also under /api/v1, and the description of both is at the root only', async (t) => {
  const service = await startService(t);
  const roots = ['', '/api', '/api/v1'];

  for (const { path, method, below } of operations) {
    const methods = roots.map(async (root) => {
      const { headers } = await ask(service, `${root}${path}`, { method: 'OPTIONS' });
      return headers.allow?.includes(method.toUpperCase());
    });
    const isRouted = await Promise.all(methods);

    t.deepEqual(isRouted, below === 'api' ? [undefined, true, true] : [true, undefined, undefined]);
  }
});

test('a path that is not in the table is 404', async (t) => {
  const service = await startService(t);
  const paths = [
    '/',
    '/api',
    '/api/reprice/',
    '/API/query',
    '/api/v2/query',
    '/api/product/foo',
    '/api/product//price',
    '/api/product/a/b/price',
    '/../../etc/passwd',
    '//',
    '//api/query',
    '/healthz/alive',
    '/metrics',
  ];

  for (const path of paths) {
    const answer = await ask(service, path);
    t.is(answer.status, 404, path);
    t.is(problemOf(answer).type, '/problems/not-found');
  }
});

test('a known path with another method is 405 with Allow, also for methods that nobody here uses', async (t) => {
  const service = await startService(t);
  const wrong: readonly (readonly [string, string, string])[] = [
    ['GET', '/api/reprice', 'POST, OPTIONS'],
    ['HEAD', '/api/reprice', 'POST, OPTIONS'],
    ['DELETE', '/api/v1/reprice', 'POST, OPTIONS'],
    ['POST', '/api/query', 'HEAD, GET, OPTIONS'],
    ['PUT', '/api/product/foo/price', 'HEAD, GET, OPTIONS'],
    ['PROPFIND', '/api/product/foo/price', 'HEAD, GET, OPTIONS'],
    ['TRACE', '/api/query', 'HEAD, GET, OPTIONS'],
  ];

  for (const [method, path, allow] of wrong) {
    const answer = await ask(service, path, { method });
    t.is(answer.status, 405, `${method} ${path}`);
    t.is(answer.headers.allow, allow);
    if (method !== 'HEAD') t.is(problemOf(answer).type, '/problems/method-not-allowed');
  }
});

test('OPTIONS is answered with what the path takes', async (t) => {
  const service = await startService(t);

  const reprice = await ask(service, '/api/reprice', { method: 'OPTIONS' });
  const query = await ask(service, '/api/query', { method: 'OPTIONS' });
  const nothing = await ask(service, '/api/nothing', { method: 'OPTIONS' });

  t.deepEqual([reprice.status, reprice.headers.allow], [204, 'POST, OPTIONS']);
  t.deepEqual([query.status, query.headers.allow], [204, 'HEAD, GET, OPTIONS']);
  t.is(nothing.status, 404);
});

test('HEAD answers with the headers of GET and no body', async (t) => {
  const service = await startService(t);

  for (const path of ['/api/product/foo/price', '/api/query']) {
    const get = await ask(service, path);
    const head = await ask(service, path, { method: 'HEAD' });
    t.is(head.status, 200);
    t.is(head.text, '');
    for (const name of ['content-length', 'content-type', 'etag', 'cache-control']) {
      t.is(head.headers[name], get.headers[name], name);
    }
  }
});

test('a read whose client takes no form that it has is 406 and reads nothing', async (t) => {
  const service = await startService(t);
  const html = ['text/html', 'application/json;q=0'];
  const streams = ['application/x-ndjson', 'application/jsonl', 'text/csv'];

  for (const [path, refused] of [
    ['/api/product/foo/price', [...html, ...streams]],
    ['/api/record/1', [...html, ...streams]],
    ['/api/query', [...html, 'text/csv; header=absent', 'application/*;q=0, text/csv;q=0']],
  ] as const) {
    for (const accept of refused) {
      const answer = await ask(service, path, { headers: { accept } });
      t.is(answer.status, 406, accept);
      t.is(problemOf(answer).type, '/problems/not-acceptable');
    }
  }
  t.deepEqual(service.ledger.products, []);
  t.deepEqual(service.ledger.queries, []);
  t.deepEqual(service.ledger.scans, []);
  for (const accept of [
    ...['*/*', 'application/*', 'text/html, application/json;q=0.1'],
    'application/json; charset=UTF-8',
  ]) {
    t.is((await ask(service, '/api/query', { headers: { accept } })).status, 200, accept);
  }
});

test('a query is answered in the form that its client likes best, and in JSON where it has no wish', async (t) => {
  const service = await startService(t);
  const csv = 'text/csv; charset=utf-8; header=present';
  const wishes: readonly (readonly [string | undefined, string])[] = [
    [undefined, 'application/json; charset=utf-8'],
    ['*/*', 'application/json; charset=utf-8'],
    ['text/html, */*;q=0.1', 'application/json; charset=utf-8'],
    ['application/json; charset=utf-8', 'application/json; charset=utf-8'],
    ['application/x-ndjson', 'application/x-ndjson'],
    ['application/x-ndjson;charset=utf-8', 'application/x-ndjson'],
    ['application/jsonl', 'application/jsonl'],
    ['application/json;q=0.5, application/x-ndjson', 'application/x-ndjson'],
    ['text/csv;q=0.4, application/jsonl;q=0.5', 'application/jsonl'],
    ['text/csv', csv],
    ['text/*', csv],
    ['text/csv; header=present', csv],
    [
      'application/json;q=0, application/x-ndjson;q=0, application/jsonl;q=0, application/ndjson;q=0, */*',
      csv,
    ],
  ];

  for (const [accept, type] of wishes) {
    const headers = accept === undefined ? {} : { accept };
    const answer = await ask(service, '/api/query', { headers });
    t.is(answer.status, 200, accept);
    t.is(answer.headers['content-type'], type, accept);
    t.is(answer.headers.vary, 'Accept');
  }
});

// --- Limits ---

async function waitUntil(claim: () => boolean): Promise<void> {
  while (!claim()) await new Promise((resolve) => setImmediate(resolve));
}

test('each GET endpoint serves 50 requests at once, over both versions, and refuses the next at once', async (t) => {
  const service = await startService(t);
  const disk = hold();
  service.ledger.gate = disk.promise;
  const prices = Array.from({ length: 50 }, (_, index) =>
    ask(service, index % 2 === 0 ? '/api/product/foo/price' : '/api/v1/product/foo/price'),
  );
  await waitUntil(() => service.ledger.products.length === 50);

  const refused = await ask(service, '/api/product/foo/price');
  const queries = Array.from({ length: 50 }, () => ask(service, '/api/query'));
  await waitUntil(() => service.ledger.queries.length === 50);
  const refusedQuery = await ask(service, '/api/v1/query');
  disk.release();

  for (const answer of [refused, refusedQuery]) {
    t.is(answer.status, 503);
    t.is(answer.headers['retry-after'], '1');
    t.is(problemOf(answer).type, '/problems/too-many-reads');
  }
  const answers = await Promise.all([...prices, ...queries]);
  t.true(answers.every(({ status }) => status === 200));
  t.is((await ask(service, '/api/product/foo/price')).status, 200);
});

test('a read that failed frees its place', async (t) => {
  const service = await startService(t, { readsMax: 1 });
  service.ledger.current = new RepricerError('STORAGE_BUSY', 'too many open files');

  for (let reads = 0; reads < 3; reads += 1) {
    t.is(problemOf(await ask(service, '/api/query')).type, '/problems/storage-busy');
  }
});

test('writes are not counted among the reads', async (t) => {
  const service = await startService(t, { readsMax: 1 });
  const disk = hold();
  service.ledger.gate = disk.promise;
  const answering = ask(service, '/api/query');
  await waitUntil(() => service.ledger.queries.length === 1);

  const writing = post(service, good);
  await waitUntil(() => service.ledger.updates.length === 1);
  disk.release();

  t.is((await writing).status, 202);
  t.is((await answering).status, 200);
});

// --- Errors ---

test('a refusal by the ledger has its status, its type and the time after which to try again', async (t) => {
  const service = await startService(t);
  const refusals = [
    ['QUEUE_FULL', 503, '1'],
    ['BACKLOG_FULL', 503, '1'],
    ['DRAINING', 503, '1'],
    ['STORAGE_FAILED', 503, '1'],
    ['STORAGE_BUSY', 503, '1'],
    ['READ_ONLY', 503, '10'],
    ['NO_SPACE', 507, '10'],
    ['JOURNAL_DAMAGED', 500, undefined],
  ] as const;

  for (const [code, status, retryAfter] of refusals) {
    service.ledger.current = new RepricerError(code, 'secret: /var/data/x');
    const answer = await post(service, good);

    t.is(answer.status, status, code);
    t.is(answer.headers['retry-after'], retryAfter);
    t.is(answer.headers['cache-control'], 'no-store');
    t.is(problemOf(answer).type, `/problems/${code.toLowerCase().replaceAll('_', '-')}`);
    t.is(problemOf(answer).status, status);
    t.false(answer.text.includes('secret'));
    t.is(answer.headers.location, undefined);
  }
});

test('a file that cannot be read just now costs the request a 503 that promises that nothing was recorded', async (t) => {
  const service = await startService(t);
  service.ledger.current = Object.assign(new Error('EIO: secret'), { code: 'EIO' });

  for (const answer of [await post(service, good), await ask(service, '/api/query')]) {
    t.is(answer.status, 503);
    t.is(problemOf(answer).type, '/problems/storage-busy');
    t.regex(answer.text, /nothing was recorded/);
    t.false(answer.text.includes('secret'));
  }
});

test('an error that nobody expected is 500, told to the log and not to the client', async (t) => {
  const service = await startService(t);
  const cause = new Error('root');
  service.ledger.current = new TypeError('secret', { cause });

  const answer = await ask(service, '/api/query');

  t.is(answer.status, 500);
  t.is(problemOf(answer).type, '/problems/internal');
  t.false(answer.text.includes('secret'));
  t.is(service.log.lines.length, 1);
  t.is(service.log.lines[0]?.level, 'error');
  t.is(service.log.lines[0]?.fields['error'], service.ledger.current);
});

test('while the service stops every answer ends its connection, also one that was begun before', async (t) => {
  let isDraining = false;
  const service = await startService(t, { isDraining: () => isDraining });
  const disk = hold();
  service.ledger.gate = disk.promise;
  const headers = { connection: 'keep-alive' };
  const answering = ask(service, '/api/query', { headers });
  await waitUntil(() => service.ledger.queries.length === 1);

  isDraining = true;
  disk.release();
  const begun = await answering;
  const missing = await ask(service, '/api/nothing', { headers });
  isDraining = false;
  const usual = await ask(service, '/api/query', { headers });

  t.is(begun.headers.connection, 'close');
  t.is(missing.headers.connection, 'close');
  t.is(usual.headers.connection, 'keep-alive');
});

test('no answer names the software', async (t) => {
  const service: Service = await startService(t);

  for (const path of ['/api/query', '/api/nothing']) {
    const { headers } = await ask(service, path);
    t.is(headers['x-powered-by'], undefined);
    t.is(headers['server'], undefined);
  }
});
