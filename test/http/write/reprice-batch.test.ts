import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { FaultyFiles } from '../../support/faulty-files.ts';
import {
  type LedgerService,
  type LedgerServiceParts,
  startLedgerService,
} from '../../support/ledger-service.ts';
import { productId } from '../../support/records.ts';
import { checkCleanStore } from '../../support/store.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ndjson = 'application/x-ndjson';

test('each line is recorded and answered in order, and a bad one spoils no other', async (t) => {
  const service = await start(t);
  const lines = [
    '{"productId":"a","price":1.50}',
    '',
    '{"productId":"a","price":-1}',
    'nonsense',
    `{"productId":"${'x'.repeat(20_000)}"}`,
    '{"productId":"a","price":"1.5","expectedPreviousPrice":1.5}',
    '{"productId":"a","price":2,"expectedPreviousPrice":9}',
  ];

  const { status, type, results } = await batch(service, lines.join('\n'));

  t.is(status, 200);
  t.is(type, ndjson);
  t.deepEqual(results.map(briefly), [
    '1 202 seq 1 version 1',
    '3 400 /problems/bad-request #/price',
    '4 400 /problems/bad-request',
    '5 413 /problems/body-too-large',
    '6 202 seq 2 version 2 unchanged',
    '7 409 /problems/price-conflict',
  ]);
  t.like(results[5], { problem: { currentPrice: 1.5, version: 2 } });
});

for (const [line, detail] of [
  ['{"productId":"a","price":0}', 'breaks the rules listed in "errors".'],
  ['nonsense', 'is not valid JSON (at position 0).'],
  [
    '{"productId":"a","price":1,"price":2}',
    'has the same key twice in one object (at position 28).',
  ],
  [`{"productId":"${'x'.repeat(20_000)}"}`, 'must be at most 16384 bytes long.'],
  [`${'['.repeat(8000)}1${']'.repeat(8000)}`, 'is not valid JSON (it is nested too deeply).'],
] as const) {
  test(`of a line that ${detail} it is the line that is told so, as in an array`, async (t) => {
    const service = await start(t);

    const inLines = await batch(service, `\n${line}\n`);
    const inArray = await batch(service, `[1,${line}]`, { 'content-type': 'application/json' });

    t.like(inLines.results[0], { line: 2, problem: { detail: `The line ${detail}` } });
    t.like(inArray.results[1], { line: 2, problem: { detail: `The line ${detail}` } });
  });
}

test('a JSON array is answered as its elements were lines', async (t) => {
  const service = await start(t);

  const { results } = await batch(
    service,
    ' [ {"productId":"a","price":1},\n{"productId":"b","price":2}, 3 ] ',
    { 'content-type': 'application/json' },
  );

  t.deepEqual(results.map(briefly), [
    '1 202 seq 1 version 1',
    '2 202 seq 2 version 1',
    '3 400 /problems/bad-request #',
  ]);
});

test('an array that breaks off is answered as far as it went, with the reason in its last line', async (t) => {
  const service = await start(t);
  const headers = { 'content-type': 'application/json' };

  const { results } = await batch(service, '[{"productId":"a","price":1},{"prod', headers);

  t.deepEqual(results.map(briefly), ['1 202 seq 1 version 1', '2 400 /problems/bad-request']);
});

test('a line that is sent again with its key is not recorded again, in the same batch or another', async (t) => {
  const service = await start(t);
  const line = '{"productId":"a","price":1,"idempotencyKey":"k"}';
  const other = '{"productId":"a","price":2,"idempotencyKey":"k"}';

  const first = await batch(service, [line, line, other].join('\n'));
  const second = await batch(service, line);

  t.deepEqual([...first.results, ...second.results].map(briefly), [
    '1 202 seq 1 version 1',
    '2 202 seq 1 version 1 replayed',
    '3 422 /problems/idempotency-key-reused',
    '1 202 seq 1 version 1 replayed',
  ]);
  t.is(service.ledger.lastSeq, 1);
});

test('of an atomic batch all lines are recorded', async (t) => {
  const service = await start(t);
  const lines = ['{"productId":"a","price":1}', '{"productId":"a","price":2}'];

  const { status, results } = await batch(service, lines.join('\n'), {}, '?atomic=true');

  t.is(status, 200);
  t.deepEqual(results.map(briefly), ['1 202 seq 1 version 1', '2 202 seq 2 version 2']);
});

for (const [what, bad, answer] of [
  ['is no price update', '{"productId":"b"}', '2 400 /problems/bad-request #/price'],
  [
    'meets another price',
    '{"productId":"a","price":2,"expectedPreviousPrice":7}',
    '2 409 /problems/price-conflict',
  ],
] as const) {
  test(`of an atomic batch no line is recorded when one ${what}, and each is told so`, async (t) => {
    const service = await start(t);
    const lines = ['{"productId":"a","price":1}', bad, '{"productId":"c","price":3}'];

    const { status, results } = await batch(service, lines.join('\n'), {}, '?atomic=true');

    t.is(status, 409);
    t.deepEqual(results.map(briefly), [
      '1 424 /problems/failed-dependency',
      answer,
      '3 424 /problems/failed-dependency',
    ]);
    t.is(service.ledger.lastSeq, 0);
    const after = await batch(service, '{"productId":"a","price":9}');
    t.deepEqual(after.results.map(briefly), ['1 202 seq 1 version 1']);
  });
}

test('an atomic batch with more lines than its limit is refused', async (t) => {
  const service = await start(t, { limits: { batchLinesMax: 3 } });

  const { status, results } = await batch(
    service,
    '{"productId":"a","price":1}\n'.repeat(4),
    {},
    '?atomic=true',
  );

  t.is(status, 413);
  t.like(results[0], { detail: 'An atomic batch has at most 3 lines; nothing was recorded.' });
  t.is(service.ledger.lastSeq, 0);
});

test('a line of a dry batch sees what those before it would record, however many they are', async (t) => {
  const service = await start(t, { limits: { batchLinesMax: 2 } });
  const lines = [
    '{"productId":"a","price":1,"idempotencyKey":"k"}',
    '{"productId":"a","price":2,"expectedPreviousPrice":1}',
    '{"productId":"a","price":3,"expectedPreviousPrice":2}',
    '{"productId":"a","price":1,"idempotencyKey":"k"}',
    '{"productId":"a","price":9,"idempotencyKey":"k"}',
    '{"productId":"a","price":4,"expectedPreviousPrice":3}',
  ];

  const { results } = await batch(service, lines.join('\n'), {}, '?dryRun=true');
  const after = await batch(service, lines.join('\n'));

  t.deepEqual(
    results.map(({ status, version, replayed }) => [status, version, replayed]),
    [
      [200, 1, undefined],
      [200, 2, undefined],
      [200, 3, undefined],
      [200, 1, true],
      [422, undefined, undefined],
      [200, 4, undefined],
    ],
  );
  t.deepEqual(
    after.results.map(({ status, version, replayed }) => [status, version, replayed]),
    results.map(({ status, version, replayed }) => [
      status === 200 ? 202 : status,
      version,
      replayed,
    ]),
  );
});

test('a dry batch says what each line would record, on top of what is there', async (t) => {
  const service = await start(t);
  await batch(service, '{"productId":"a","price":1.50}');

  const { results } = await batch(service, '{"productId":"a","price":2.50}', {}, '?dryRun=true');

  const draft = { productId: 'a', version: 2, previousPrice: 1.5, newPrice: 2.5 };
  t.deepEqual(results, [{ line: 1, status: 200, ...draft, unchanged: false, dryRun: true }]);
  t.is(service.ledger.lastSeq, 1);
});

for (const [what, status, headers, query] of [
  ['of text', 415, { 'content-type': 'text/csv' }, ''],
  ['that is compressed', 415, { 'content-encoding': 'gzip' }, ''],
  ['whose client takes JSON only', 406, { accept: 'application/json' }, ''],
  ['with a key for all', 400, { 'idempotency-key': 'k' }, ''],
  ['with a condition for all', 400, { 'if-match': '*' }, ''],
  ['with an empty key for all', 400, { 'idempotency-key': '' }, ''],
  ['with a parameter that nobody knows', 400, {}, '?atomic=true&a=1'],
] as const) {
  test(`a batch ${what} is refused`, async (t) => {
    const service = await start(t);

    const answer = await batch(service, '{"productId":"a","price":1}', headers, query);

    t.is(answer.status, status);
    t.is(answer.type, 'application/problem+json');
    t.is(service.ledger.lastSeq, 0);
  });
}

test('a client may wait for the results of its first lines before it sends more', async (t) => {
  const service = await start(t);
  const { sending, response } = await begin(service, '{"productId":"a","price":1}\n');
  const lines = createInterface(response)[Symbol.asyncIterator]();

  t.is(briefly(JSON.parse(String((await lines.next()).value))), '1 202 seq 1 version 1');
  sending.end('{"productId":"a","price":2}');

  t.is(briefly(JSON.parse(String((await lines.next()).value))), '2 202 seq 2 version 2');
});

test('a stop ends a batch that waits for more lines, with a last line that says so', async (t) => {
  const stopping = new AbortController();
  const service = await start(t, { stopping: stopping.signal });
  const { sending, response } = await begin(service, '{"productId":"a","price":1}\n');

  stopping.abort();
  const results = resultsIn(await text(response));

  t.deepEqual(results.map(briefly), ['1 202 seq 1 version 1', '2 503 /problems/draining']);
  sending.destroy();
});

test('an atomic batch that cannot be recorded at all is answered with the reason alone', async (t) => {
  const files = new FaultyFiles();
  const service = await start(t, { files });
  files.fail('datasync', /results\//, 'EIO', { times: 1 });

  const { status, type } = await batch(service, '{"productId":"a","price":1}', {}, '?atomic=true');

  t.is(status, 503);
  t.is(type, 'application/problem+json');
});

test('the results of a batch come in the form of lines that the client takes', async (t) => {
  const service = await start(t);

  const { type } = await batch(service, '{"productId":"a","price":1}', {
    accept: 'application/jsonl',
  });

  t.is(type, 'application/jsonl');
});

test('one more batch than may be served is refused, and served once another has ended', async (t) => {
  const service = await start(t, { limits: { batchesMax: 1 } });
  const { sending, response } = await begin(service, '{"productId":"a","price":1}\n');

  const refused = await batch(service, '{"productId":"b","price":1}');
  sending.end();
  await once(response.resume(), 'end');
  const served = await batch(service, '{"productId":"b","price":1}');

  t.is(refused.status, 503);
  t.is(refused.retryAfter, '5');
  t.is(served.status, 200);
});

test('a client that stops in the middle of a line is given up with a last line that says so', async (t) => {
  const service = await start(t, { limits: { requestTimeoutMs: 1000 } });
  const { sending, response } = await begin(service, '{"productId":"a","price":1}\n{"produ');

  const results = resultsIn(await text(response));

  t.deepEqual(results.map(briefly), ['1 202 seq 1 version 1', '2 408 /problems/request-timeout']);
  sending.destroy();
});

test('a batch whose framing breaks behind a line is not told that it was refused, as that line may be recorded', async (t) => {
  const { port } = await start(t);
  const line = '{"productId":"a","price":1}\n';
  const socket = connect(port, '127.0.0.1');
  const received = text(socket.on('error', () => {})).catch(() => 'reset');

  socket.write(
    'POST /api/reprice/batch HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n' +
      `Content-Type: ${ndjson}\r\n\r\n${line.length.toString(16)}\r\n${line}\r\nzz\r\n`,
  );

  t.notRegex(await received, /^HTTP\/1.1 4/);
});

test('an atomic batch that stalls, or goes on past its limit, is refused as a whole', async (t) => {
  const impatient = await start(t, { limits: { requestTimeoutMs: 100 } });
  const service = await start(t, { limits: { batchLinesMax: 3 } });
  const line = '{"productId":"a","price":1}\n';

  const stalled = await begin(impatient, line, { query: '?atomic=true' });
  const tooLong = await begin(service, line.repeat(4), { query: '?atomic=true' });

  t.is(stalled.response.statusCode, 408);
  t.is(tooLong.response.statusCode, 413);
  t.deepEqual([impatient.ledger.lastSeq, service.ledger.lastSeq], [0, 0]);
  for (const { sending } of [stalled, tooLong]) sending.destroy();
});

for (const query of ['', '?atomic=true']) {
  for (const [what, status, type, body] of [
    ['is no array', 400, 'application/json', '{"productId":"a","price":1}'],
    ['is an array behind a byte order mark', 400, 'application/json', '\ufeff[]'],
    ['is an array without an end', 400, 'application/json', '[ '],
    ['has no bytes', 400, 'application/json', ''],
    ['has no end of its first line', 408, ndjson, '{"produ'],
  ] as const) {
    test(`a batch whose body ${what} is refused as a whole ${query}`, async (t) => {
      const limits = status === 408 ? { requestTimeoutMs: 100 } : {};
      const service = await start(t, { limits });

      const { sending, response } = await begin(service, body, {
        query,
        type,
        isWhole: status === 400,
      });

      t.is(response.statusCode, status);
      t.is(response.headers['content-type'], 'application/problem+json');
      t.is(service.ledger.lastSeq, 0);
      response.resume();
      sending.destroy();
    });
  }
}

test('a long body that is refused, or that nobody wants any more, is read to its end and its connection lives', async (t) => {
  const service = await start(t, { limits: { batchLinesMax: 3, bodyBytesMax: 1000 } });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const line = '{"productId":"a","price":1}\n';
  const long = line.repeat(200_000);
  const ask = async (path: string, type: string, body: string) => {
    const asked = request({ port: service.port, path, method: 'POST', agent });
    asked.setHeader('Content-Type', type);
    const [answered, written] = [once(asked, 'response'), once(asked, 'finish')];
    asked.end(body);
    const [response] = (await answered) as [IncomingMessage];
    // As a client that reads nothing before it has sent all.
    await written;
    await text(response);
    return [response.statusCode, asked.reusedSocket];
  };

  const answers = [
    await ask('/api/reprice/batch?atomic=true', ndjson, long),
    await ask('/api/reprice', 'application/json', long),
    await ask('/api/products/prices', 'application/json', ' '.repeat(4_000_000)),
    await ask('/api/reprice/batch', 'application/json', long),
    await ask('/api/reprice/batch', 'application/json', `[${line}]${long}`),
    await ask('/api/reprice', 'application/json', line),
  ];

  t.deepEqual(answers, [
    [413, false],
    [413, true],
    [413, true],
    [400, true],
    [200, true],
    [202, true],
  ]);
});

test('lines that nobody could record any more are answered so, and the batch ends', async (t) => {
  const files = new FaultyFiles();
  const service = await start(t, { files });
  files.fail('datasync', /results\//, 'EIO', { times: 1 });

  const { results } = await batch(service, '{"productId":"a","price":1}\n'.repeat(3));

  t.deepEqual(
    results.map(briefly),
    [1, 2, 3].map((line) => `${line} 503 /problems/storage-failed`),
  );
});

test('a line whose product cannot be read is refused alone, those after it are recorded, and the log says why', async (t) => {
  const directory = await temporaryDirectory(t);
  const before = await startLedgerService(t, directory);
  await before.set('a', '1');
  await before.stop();
  const files = new FaultyFiles();
  const service = await startLedgerService(t, directory, { files });
  const fault = files.fail('read', /a\.ndjson$/, 'EIO');
  const lines = ['{"productId":"a","price":2}', '{"productId":"b","price":3}'].join('\n');

  const streamed = await batch(service, lines);
  const atomic = await batch(service, lines, {}, '?atomic=true');
  fault.stop();
  const later = await batch(service, '{"productId":"a","price":2}');

  t.deepEqual(streamed.results.map(briefly), [
    '1 503 /problems/storage-busy',
    '2 202 seq 2 version 1',
  ]);
  t.deepEqual(atomic.results.map(briefly), [
    '1 503 /problems/storage-busy',
    '2 424 /problems/failed-dependency',
  ]);
  t.deepEqual(later.results.map(briefly), ['1 202 seq 3 version 2']);
  t.deepEqual(
    service.log.lines.map(({ level, fields }) => [
      level,
      fields['status'],
      codeOf(fields['error']),
    ]),
    [
      ['warn', 200, 'EIO'],
      ['warn', 409, 'EIO'],
      ['info', 200, undefined],
    ],
  );
});

test('a connection stays in use after a batch that was refused at once', async (t) => {
  const service = await start(t);
  await service.ledger.setReadOnly(true);
  const body = '{"productId":"a","price":1}\n';
  const socket = connect(service.port, '127.0.0.1').setEncoding('utf8');
  let received = '';
  const until = async (ending: string) => {
    while (!received.endsWith(ending)) received += String((await once(socket, 'data'))[0]);
  };

  const length = `Content-Type: ${ndjson}\r\nContent-Length: ${body.length}`;
  socket.write(`POST /api/reprice/batch HTTP/1.1\r\nHost: x\r\n${length}\r\n\r\n${body}`);
  await until('0\r\n\r\n');
  socket.write('GET /api/query HTTP/1.1\r\nHost: x\r\n\r\n');
  await until('[]');

  t.regex(received, /"\/problems\/read-only"/);
  socket.destroy();
});

test('a batch waits for product files that have fallen behind, and loses no line', async (t) => {
  const directory = await temporaryDirectory(t);
  const options = { backlogRecordsMax: 20, backlogWaitMs: 1 };
  const service = await startLedgerService(t, directory, {
    options,
    batchRecordsMax: 10,
    limits: { batchLinesMax: 10 },
  });
  const lines = Array.from({ length: 500 }, (_, index) => `{"productId":"p${index}","price":1}`);

  const { results } = await batch(service, lines.join('\n'));

  t.is(results.filter((result) => result['status'] === 202).length, 500);
  await service.stop();
  t.is((await checkCleanStore(t, directory)).records, 500);
});

test('a client that does not read its results is not read any further', async (t) => {
  const service = await start(t);
  const { sending, response } = await begin(service, '{"productId":"a","price":1}\n');
  response.pause();
  const line = Buffer.from(
    `{"productId":"a","price":1,"reason":"${'x'.repeat(150)}"}\n`.repeat(500),
  );

  let sentBytes = 0;
  while (sending.write(line)) sentBytes += line.length;
  const isHeld = await isQuiet(sending, () => {
    sentBytes += line.length;
    return sending.write(line);
  });

  t.true(isHeld, `it took ${sentBytes} bytes`);
  response.resume();
  sending.end();
  await once(response, 'end');
  t.is((await service.ledger.currentPrice(productId('a'))).version, service.ledger.lastSeq);
});

/** Writes on for as long as the other side takes it, and tells whether it ever stops taking. */
async function isQuiet(sending: ClientRequest, write: () => boolean): Promise<boolean> {
  for (let writes = 0; writes < 2000; ) {
    const hasDrained = await Promise.race([
      once(sending, 'drain').then(() => true),
      new Promise<false>((resolve) => setTimeout(() => resolve(false), 500)),
    ]);
    if (!hasDrained) return true;
    while (write()) writes += 1;
    writes += 1;
  }
  return false;
}

interface Result {
  readonly line: number;
  readonly status: number;
  readonly [field: string]: unknown;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** `1 202 seq 1 version 1`, or the line, the status, the problem's type and its first pointer. */
function briefly(value: unknown): string {
  const { line, status, seq, version, problem, unchanged, replayed } = value as Result;
  const { type, errors } = (problem ?? {}) as { type?: string; errors?: { pointer: string }[] };
  return [
    `${line} ${status}`,
    ...(type === undefined ? [`seq ${String(seq)} version ${String(version)}`] : [type]),
    ...(errors?.slice(0, 1).map(({ pointer }) => pointer) ?? []),
    ...(unchanged === true ? ['unchanged'] : []),
    ...(replayed === true ? ['replayed'] : []),
  ].join(' ');
}

async function start(t: ExecutionContext, parts: LedgerServiceParts = {}): Promise<LedgerService> {
  return startLedgerService(t, await temporaryDirectory(t), parts);
}

async function batch(
  { url }: LedgerService,
  body: string,
  headers: Record<string, string> = {},
  query = '',
): Promise<{ status: number; type: string | null; retryAfter: string | null; results: Result[] }> {
  const response = await fetch(`${url}/api/v1/reprice/batch${query}`, {
    method: 'POST',
    headers: { 'content-type': ndjson, ...headers },
    body,
  });
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    retryAfter: response.headers.get('retry-after'),
    results: resultsIn(await response.text()),
  };
}

function resultsIn(text: string): Result[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Result);
}

interface Beginning {
  /** Whether the body ends there. */
  readonly isWhole?: boolean;
  readonly query?: string;
  readonly type?: string;
}

/** A batch of which no more than the beginning is sent, and the answer, which has begun by then. */
async function begin(
  { port }: LedgerService,
  beginning: string,
  { query = '', type = ndjson, isWhole = false }: Beginning = {},
): Promise<{ sending: ClientRequest; response: IncomingMessage }> {
  const path = `/api/reprice/batch${query}`;
  const headers = { 'content-type': type };
  const sending = request({ host: '127.0.0.1', port, method: 'POST', path, headers });
  sending.write(beginning);
  if (isWhole) sending.end();
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  return { sending, response };
}
