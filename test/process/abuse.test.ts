import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import net from 'node:net';
import { basename, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import anyTest, { type ExecutionContext } from 'ava';
import { ChildService } from '../support/child-service.ts';
import { answersIn, type RawAnswer } from '../support/raw-answers.ts';
import { checkCleanStore } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/* What clients send that mean harm or know no better, byte by byte, to a real process. */

/** One after the other: each starts a service, and the time that a request has is not to go by for want of a processor. */
const test = anyTest.serial;

/** Stands in what is sent, and in no answer. */
const canary = 'zq7zq7';

const good = `{"productId":"${canary}","price":3.55}`;

/** What is sent on a connection of its own, and the status of the one answer to it. */
type Abuse = readonly [name: string, status: number, bytes: string | Buffer];

const malformedBodies: readonly Abuse[] = [
  ['a body that is cut off', 400, post(`{"productId":"${canary}","price":`)],
  ['an empty body', 400, post('')],
  [
    'no body and no length',
    400,
    'POST /api/reprice HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n',
  ],
  ['a JSON scalar', 400, post('3')],
  ['a JSON array', 400, post(`[${good}]`)],
  ['two objects', 400, post(good + good)],
  ['a nested body in bounds', 400, post('['.repeat(8000) + ']'.repeat(8000))],
  ['a depth bomb', 413, post('['.repeat(40_000) + ']'.repeat(40_000))],
  ['a key twice', 400, post(`{"productId":"${canary}","productId":"b","price":1}`)],
  ['a key twice, once escaped', 400, post(`{"productId":"${canary}","price":1,"pric\\u0065":2}`)],
  ['invalid UTF-8', 400, post(Buffer.from(good.replace('zq7', '\xff\xfe'), 'latin1'))],
  ['an overlong encoding', 400, post(Buffer.from(good.replace('zq7', '\xc0\xaf'), 'latin1'))],
  ['UTF-16', 400, post(Buffer.from(good, 'utf16le'))],
  ['a byte order mark', 400, post(`\ufeff${good}`)],
  ['a body of 200 kB', 413, post(good.padEnd(200_000))],
  ['a chunked body of 200 kB', 413, chunked(good.padEnd(200_000))],
  [
    '200 kB that wait for 100 Continue',
    413,
    headOf(post(good.padEnd(200_000), { headers: 'Expect: 100-continue\r\n' })),
  ],
];

const objectProperties: readonly Abuse[] = [
  ['__proto__', 400, post(withField(`"__proto__":{"a":"${canary}"}`))],
  ['__proto__, escaped', 400, post(withField(`"\\u005f_proto__":{"a":"${canary}"}`))],
  ['__proto__ alone', 400, post(`{"__proto__":${good}}`)],
  ['constructor.prototype', 400, post(withField(`"constructor":{"prototype":{"a":"${canary}"}}`))],
];

const prices: readonly Abuse[] = [
  ...['1e400', '1e-7', '1e0', '0', '-0', '-1', '+1', '01', '.5', '1.', 'NaN', 'Infinity', 'null'],
  ...['9007199254740993', '1.1234567', '"1e3"', '"0x1"', '" 1"', '"١"', '[1]', '{}', 'true', '""'],
].map((price) => [`the price ${price}`, 400, post(`{"productId":"${canary}","price":${price}}`)]);

const productIds: readonly Abuse[] = [
  ...['.', '..', '', ' ', '\\u00a0', '\\ud800', '\\udc00\\ud800', '\\u0000', 'a\\u0001', 'a\\r\\n'],
  ...['\\u001b[31m', '\\u0085', '\\u2028', '\\u2029', '\\u202e', '\\u2066', 'x'.repeat(257)],
  ...['é'.repeat(300), 'x'.repeat(10_000)],
].map((id) => [`the id ${id.slice(0, 20)}`, 400, post(`{"productId":"${id}","price":1}`)]);

const mediaTypes: readonly Abuse[] = [
  ...['text/plain', 'text/json', 'application/json; charset=utf-7', 'application/jsonx', ''],
  ...['application/json, text/plain', 'application/x-www-form-urlencoded', canary],
].map((type) => [`the type ${type}`, 415, post(good, { type })]);

const encodings: readonly Abuse[] = [
  ['a gzip that is none', 415, post(good, { headers: 'Content-Encoding: gzip\r\n' })],
  [
    'a gzip that is cut off',
    415,
    post(gzipSync(good).subarray(0, 20), { headers: 'Content-Encoding: gzip\r\n' }),
  ],
  ['a good gzip', 415, post(gzipSync(good), { headers: 'Content-Encoding: gzip\r\n' })],
  ['zstd', 415, post(good, { headers: 'Content-Encoding: zstd\r\n' })],
  ['gzip twice', 415, post(good, { headers: 'Content-Encoding: gzip, gzip\r\n' })],
  [
    'an encoding that nobody knows',
    415,
    post(good, { headers: `Content-Encoding: ${canary}\r\n` }),
  ],
  ['two media types', 415, post(good, { headers: 'Content-Type: text/plain\r\n' })],
  ['a media type twice', 415, post(good, { headers: 'Content-Type: application/json\r\n' })],
];

/** Each with a good request hidden behind it, where another reader of the same bytes would find one. */
const framings: readonly Abuse[] = [
  [
    'length and chunks',
    400,
    framed('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
  ],
  ['two lengths', 400, framed('Content-Length: 0\r\nContent-Length: 5\r\n\r\n')],
  ['the same length twice', 400, framed('Content-Length: 5\r\nContent-Length: 5\r\n\r\n')],
  ['a list of lengths', 400, framed('Content-Length: 5, 5\r\n\r\n')],
  ['a length with a sign', 400, framed('Content-Length: +4\r\n\r\n')],
  ['a negative length', 400, framed('Content-Length: -1\r\n\r\n')],
  ['a length past all bounds', 400, framed('Content-Length: 99999999999999999999\r\n\r\n')],
  ['a coding that nobody knows', 400, framed('Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n')],
  ['chunked, but not last', 400, framed('Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n')],
  ['chunks of another coding', 400, framed('Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n')],
  ['chunks of chunks', 400, framed('Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n')],
  [
    'chunks twice',
    400,
    framed('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
  ],
  ['chunks of HTTP/1.0', 400, chunked(good).replace('HTTP/1.1', 'HTTP/1.0')],
  ['a blank before the colon', 400, framed('Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n')],
  ['a folded header', 400, framed('X: a\r\n b\r\nContent-Length: 0\r\n\r\n')],
  ['a header without a name', 400, framed(': a\r\nContent-Length: 0\r\n\r\n')],
  ['CR in a header', 400, framed('X: a\rb\r\nContent-Length: 0\r\n\r\n')],
  ['NUL in a header', 400, framed('X: a\0b\r\nContent-Length: 0\r\n\r\n')],
  ['a chunk size that is none', 400, framed('Transfer-Encoding: chunked\r\n\r\nzz\r\n')],
  [
    'a chunk size past all bounds',
    400,
    framed('Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n'),
  ],
  [
    'a chunk that is longer than its size',
    400,
    framed('Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n'),
  ],
  [
    '20 kB of chunk extension',
    413,
    framed(`Transfer-Encoding: chunked\r\n\r\n2;${canary.repeat(3500)}\r\n{}\r\n0\r\n\r\n`),
  ],
  [
    'lines that end in LF alone',
    400,
    `POST /api/reprice HTTP/1.1\nHost: localhost\nContent-Length: ${good.length}\n\n${good}`,
  ],
  ['no Host', 400, post(good).toString().replace('Host: localhost\r\n', '')],
  ['two Hosts', 400, framed(`Host: ${canary}\r\nContent-Length: 0\r\n\r\n`)],
  [
    'two Hosts behind a thousand other headers',
    400,
    framed(`${'a:\r\n'.repeat(1900)}Host: localhost\r\nContent-Length: 0\r\n\r\n`),
  ],
  [
    'a Host with a blank in it',
    400,
    get('/api/query').replace('Host: localhost', `Host: localhost ${canary}`),
  ],
  [
    'a Host with a path',
    400,
    get('/api/query').replace('Host: localhost', `Host: localhost/${canary}`),
  ],
  ['an expectation that nobody knows', 417, post(good, { headers: `Expect: ${canary}\r\n` })],
];

const protocols: readonly Abuse[] = [
  ['a method that nobody knows', 400, `${canary} /api/query HTTP/1.1\r\nHost: localhost\r\n\r\n`],
  ['a method of another route', 405, get('/api/query').replace('GET', 'PUT')],
  ['a version that nobody knows', 400, get('/api/query').replace('HTTP/1.1', 'HTTP/9.9')],
  ['the start of a TLS handshake', 400, Buffer.from('1603010200010001fc0303', 'hex')],
  ['the preface of HTTP/2', 400, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a header of 9 kB', 431, get('/api/query', `X: ${canary.repeat(1500)}\r\n`)],
  ['5,000 headers', 431, get('/api/query', 'a: b\r\n'.repeat(5000))],
  ['a target of 10 kB', 431, get(`/${canary.repeat(1700)}`)],
  ['an X-Request-Id of 10 kB', 431, get('/api/query', `X-Request-Id: ${canary.repeat(1700)}\r\n`)],
  ['a line break in X-Request-Id', 400, get('/api/query', `X-Request-Id: a\r${canary}\r\n`)],
];

const targets: readonly Abuse[] = [
  ['%00 for a product', 400, get('/api/product/%00/price')],
  ['a lone % for a product', 400, get('/api/product/%/price')],
  ['%ff for a product', 400, get('/api/product/%ff/price')],
  ['a byte past ASCII', 400, Buffer.from(get(`/api/product/\xff${canary}/price`), 'latin1')],
  ['NUL', 400, get('/api/\0')],
  ['a way up', 404, get(`/../../etc/passwd/${canary}`)],
  ['a way up from a product', 404, get(`/api/product/../../../etc/${canary}`)],
  ['a way up, encoded', 400, get('/api/product/%2e%2e/price')],
  ['nothing but slashes', 404, get('//')],
  ['a URL that cannot be read', 400, get(`http://[${canary}`)],
  ['an asterisk', 404, get('*')],
  ['a query that is not UTF-8', 400, get('/api/query?productId=%ff')],
  ['a parameter named __proto__', 400, get(`/api/query?__proto__=${canary}`)],
  ['a page past all bounds', 400, get('/api/query?pageNumber=1e400')],
];

/** With the limit of a body far up, so that it is the rules that are met by texts of 100 kB. */
const endless = `${'a'.repeat(100_000)}!`;
const blanks = ' '.repeat(100_000);
const longTexts: readonly Abuse[] = [
  ['an endless product id', 400, post(`{"productId":"${endless}","price":1}`)],
  ['an endless price', 400, post(`{"productId":"a","price":"${'1'.repeat(100_000)}!"}`)],
  ['an endless number', 400, post(`{"productId":"a","price":1.${'1'.repeat(100_000)}}`)],
  ['an endless currency', 400, post(withField(`"currency":"${endless}"`))],
  ['an endless reason', 400, post(withField(`"reason":"${endless}"`))],
  ['endless blanks', 400, post(`{"productId":"${blanks}","price":"${blanks}"}`)],
  ['an endless field', 400, post(withField(`"${endless}":1`))],
];

const table: Readonly<Record<string, readonly Abuse[]>> = {
  'a body that is not one JSON object of the right size': malformedBodies,
  'a body with names of object properties': objectProperties,
  'a price that is none': prices,
  'a product id that could mislead': productIds,
  'another media type': mediaTypes,
  'an encoded body': encodings,
  'a request with two readings': framings,
  'what is not HTTP/1.1, or not in bounds': protocols,
  'a target that leads nowhere': targets,
};

for (const [kind, abuses] of Object.entries(table)) {
  test(`${kind} is refused with a fixed text, and leaves no trace`, async (t) => {
    await refusesAll(t, abuses);
  });
}

test('a text of 100 kB is refused as any other', async (t) => {
  await refusesAll(t, longTexts, ['--body-bytes-max', '1048576']);
});

/**
 * Asserts that each is answered once and as the table says, in a problem of fixed text, that nothing
 * of it is recorded, and that the next good request is served.
 */
async function refusesAll(
  t: ExecutionContext,
  abuses: readonly Abuse[],
  flags: readonly string[] = [],
): Promise<void> {
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory, flags);

  for (const [index, [name, status, bytes]] of abuses.entries()) {
    const [answer, ...others] = answersIn(await exchange(service.port, bytes));
    const next = await service.reprice('good', '1');

    t.is(answer?.status, status, name);
    t.deepEqual(others, [], name);
    if (answer !== undefined) isRefusal(t, answer, name);
    t.is(next.status, 202, name);
    t.is(next.headers['repricer-seq'], String(index + 1), `${name} must not be recorded`);
  }

  t.is((await service.kill('SIGTERM')).code, 0);
  t.is((await checkCleanStore(t, directory)).records, abuses.length);
  t.deepEqual(errorsIn(service), []);
}

function isRefusal(t: ExecutionContext, { status, head, body }: RawAnswer, name: string): void {
  t.regex(head, /\r\nconnection: close\r\n/i, name);
  t.regex(head, /\r\ncontent-type: application\/problem\+json\r\n/i, name);
  t.regex(head, /\r\nx-content-type-options: nosniff\r\n/i, name);
  t.regex(head, /\r\ncache-control: no-store\r\n/i, name);
  t.notRegex(head, /\r\n(?:x-powered-by|server):/i, name);
  t.like(JSON.parse(body), { status }, name);
  t.true(body.length < 1000, name);
  t.false(body.includes(canary), `${name}: ${body}`);
  t.notRegex(body, /\.[jt]s\b|node:|\\n/, name);
}

test('names of object properties, paths and encodings are product ids like others, each with its own file', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory);
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '../x', 'a/b', 'a\\b'];
  const ids = [...names, '%2e%2e%2f', '.hidden', '~', '*', 'con', 'é'.repeat(90), '💶'.repeat(256)];

  for (const id of ids) {
    const answers = answersIn(
      await exchange(service.port, post(JSON.stringify({ productId: id, price: 1 }))),
    );
    t.deepEqual(
      answers.map(({ status }) => status),
      [202],
      id,
    );
    t.is((await service.get(`/api/product/${encodeURIComponent(id)}/price`)).status, 200, id);
  }
  t.is((await service.kill('SIGTERM')).code, 0);

  const { records } = await checkCleanStore(t, directory);
  const paths = await readdir(join(directory, 'results_by_product'), { recursive: true });
  const files = paths.filter((path) => path.endsWith('.ndjson')).map((path) => basename(path));
  t.is(records, ids.length);
  t.is(new Set(files).size, ids.length);
  for (const name of names.slice(0, 4)) t.true(files.includes(`${name}.ndjson`), name);
  t.deepEqual((await readdir(directory)).sort(), [
    'LOCK',
    'checkpoint.json',
    'clients.json',
    'manifest.ndjson',
    'results',
    'results_by_product',
  ]);
});

test('a small body that would unpack to 100 MB is refused packed', async (t) => {
  const service = await ChildService.start(t, await temporaryDirectory(t));
  const unpacked = Buffer.alloc(100_000_000, ' ');
  const params = { [constants.BROTLI_PARAM_QUALITY]: 4 };
  const bombs = [
    post(gzipSync(unpacked), { headers: 'Content-Encoding: gzip\r\n' }),
    post(brotliCompressSync(unpacked, { params }), { headers: 'Content-Encoding: br\r\n' }),
  ];
  await exchange(service.port, get('/api/query'));
  const before = await residentBytes(service);

  for (const bomb of bombs) {
    const [answer] = answersIn(await exchange(service.port, bomb));
    t.is(answer?.status, 415);
  }

  t.true((await residentBytes(service)) - before < 20_000_000);
});

test('103 pipelined writes are answered in order, and the journal has those that were taken', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory, ['--queue-max', '10']);
  const requests = Array.from({ length: 103 }, (_, index) =>
    post(good, { headers: index < 102 ? '' : 'X: last\r\n', isLast: index === 102 }),
  );

  const answers = answersIn(await exchange(service.port, Buffer.concat(requests)));

  const taken = answers.filter(({ status }) => status === 202);
  const refused = answers.filter(({ status }) => status === 503);
  t.is(taken.length + refused.length, answers.length);
  t.true(answers.length >= 100, `${answers.length} answers`);
  t.true(taken.length >= 10);
  for (const { head, body } of refused) {
    t.regex(head, /\r\nretry-after: 1\r\n/i);
    t.like(JSON.parse(body), { type: '/problems/queue-full' });
  }
  const seqs = taken.map(({ head }) => Number(/repricer-seq: (\d+)/i.exec(head)?.[1]));
  t.deepEqual(
    seqs,
    Array.from(seqs, (_, index) => index + 1),
  );
  t.is((await service.kill('SIGTERM')).code, 0);
  t.is((await checkCleanStore(t, directory)).records, taken.length);
});

test('a client that resets its connection right after a write leaves it whole or not at all', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory);
  const resets = 200;

  for (let count = 0; count < resets; count += 1) {
    const socket = net.connect(service.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(post(good, { isLast: false }), () => socket.resetAndDestroy());
    await once(socket, 'close');
  }
  const next = await service.reprice('good', '1');

  t.is(next.status, 202);
  t.is((await service.kill('SIGTERM')).code, 0);
  const { records } = await checkCleanStore(t, directory);
  t.is(records, Number(next.headers['repricer-seq']));
  t.true(records <= resets + 1);
  t.deepEqual(errorsIn(service), []);
});

test('whatever a client puts into its headers, a line of the log is one JSON object and has nothing of them', async (t) => {
  const service = await ChildService.start(t, await temporaryDirectory(t));
  const headers = ['X-Request-Id', 'User-Agent', 'traceparent', 'X-Forwarded-For'].map(
    (name) => `${name}: "}\\"${canary}\u009b\r\n`,
  );

  const [answer] = answersIn(await exchange(service.port, get('/api/query', headers.join(''))));
  await service.kill('SIGTERM');

  t.is(answer?.status, 200);
  const lines = service.logLines.filter((line) => line['message'] === 'request');
  t.is(lines.length, 1);
  t.false(JSON.stringify(service.logLines).includes(canary));
});

test('CONNECT and an upgrade never leave a client waiting', async (t) => {
  const service = await ChildService.start(t, await temporaryDirectory(t));
  const upgrade = (protocol: string) =>
    `GET /api/query HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;

  const tunnel = await exchange(
    service.port,
    `CONNECT ${canary}:1 HTTP/1.1\r\nHost: localhost\r\n\r\n`,
  );
  const webSocket = answersIn(
    await exchange(service.port, upgrade('websocket') + get('/api/query')),
  );
  const http2 = answersIn(await exchange(service.port, upgrade('h2c')));

  t.is(tunnel, '');
  for (const answers of [webSocket, http2]) {
    t.deepEqual(
      answers.map(({ status }) => status),
      [200],
    );
    t.regex(answers[0]?.head ?? '', /\r\nconnection: close\r\n/i);
  }
});

test('headers and bodies that trickle in are 408, and nothing of them is recorded', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory, ['--request-timeout-ms', '1000']);
  const whole = post(good.padEnd(10_000)).toString();

  const answers = await Promise.all(
    [whole.slice(0, 60), whole.slice(0, -9000)].map((start) => trickle(service.port, start)),
  );

  for (const text of answers) {
    const [answer, ...others] = answersIn(text);
    t.is(answer?.status, 408);
    t.deepEqual(others, []);
    if (answer !== undefined) isRefusal(t, answer, text);
  }
  t.is((await service.reprice('good', '1')).headers['repricer-seq'], '1');
});

interface PostOptions {
  readonly type?: string;
  /** More header lines. */
  readonly headers?: string;
  /** Whether the client wants no other answer on the connection, as without this. */
  readonly isLast?: boolean;
}

function post(body: string | Buffer, options: PostOptions = {}): Buffer {
  const { type = 'application/json', headers = '', isLast = true } = options;
  const head =
    `POST /api/reprice HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n${isLast ? 'Connection: close\r\n' : ''}${headers}\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
}

function chunked(body: string): string {
  const head =
    'POST /api/reprice HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
  const size = body.length.toString(16);
  return `${head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${size}\r\n${body}\r\n0\r\n\r\n`;
}

function headOf(request: Buffer): Buffer {
  return request.subarray(0, request.indexOf('\r\n\r\n') + 4);
}

/** A reprice of which the last headers and the body are given, and a good one behind it. */
function framed(rest: string): Buffer {
  const head =
    'POST /api/reprice HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
  return Buffer.concat([Buffer.from(head + rest, 'latin1'), post(good)]);
}

function withField(field: string): string {
  return `${good.slice(0, -1)},${field}}`;
}

function get(target: string, headers = ''): string {
  return `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n`;
}

/** All that comes back on a new connection until the service ends it. */
async function exchange(port: number, bytes: string | Buffer): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  const received = receive(socket);
  socket.write(bytes);
  return received;
}

/** Sends a start, and then a byte at a time for as long as the service lets it. */
async function trickle(port: number, start: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  const received = receive(socket);
  socket.write(start);
  const timer = setInterval(() => socket.write(' '), 50);
  socket.once('close', () => clearInterval(timer));
  return received;
}

function receive(socket: net.Socket): Promise<string> {
  const parts: Buffer[] = [];
  socket.on('data', (part) => parts.push(part));
  // A service that does not read to the end resets the connection; what came before counts.
  socket.on('error', () => socket.destroy());
  return new Promise((resolve) => {
    socket.once('close', () => resolve(Buffer.concat(parts).toString()));
  });
}

async function residentBytes({ backplanePort }: ChildService): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${backplanePort}/metrics`);
  const sample = /^process_resident_memory_bytes (\S+)$/m.exec(await answer.text());
  return Number(sample?.[1]);
}

function errorsIn(service: ChildService): readonly object[] {
  return service.logLines.filter(({ level }) => level === 'error');
}
