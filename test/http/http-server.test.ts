import { once } from 'node:events';
import type { Socket } from 'node:net';
import test from 'ava';
import { ask, connect, exchange, hold, post, readToEnd, startService } from './http-fixture.ts';

const good = '{"productId":"foo","price":3.55}';

interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** The answers in what a connection gave until it ended; each must have a length that fits its body. */
function answersIn(text: string): readonly RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n') + 4;
    const head = rest.slice(0, end);
    const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1] ?? 0);
    answers.push({ status: Number(head.slice(9, 12)), head, body: rest.slice(end, end + length) });
    if (rest.length < end + length) throw new Error(`cut short: ${rest}`);
    rest = rest.slice(end + length);
  }
  return answers;
}

function repriceText(body = good, headers = ''): string {
  return (
    'POST /api/reprice HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
    `Content-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`
  );
}

const lastGet = 'GET /api/query HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

async function waitUntil(claim: () => boolean): Promise<void> {
  while (!claim()) await new Promise((resolve) => setImmediate(resolve));
}

function isProblem({ head, body, status }: RawAnswer, type: string): boolean {
  const problem = JSON.parse(body) as Record<string, unknown>;
  return (
    /\r\ncontent-type: application\/problem\+json/i.test(head) &&
    /\r\nconnection: close\r\n/i.test(head) &&
    problem['type'] === type &&
    problem['status'] === status
  );
}

test('what is not HTTP/1.1 is answered 400 with a problem, and a request hidden in it never runs', async (t) => {
  const service = await startService(t);
  const hidden = repriceText();
  const post =
    'POST /api/reprice HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
  const refused = [
    `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
    `${post}Content-Length: 0\r\nContent-Length: 5\r\n\r\n${hidden}`,
    `${post}Content-Length: +4\r\n\r\n${hidden}`,
    `${post}Transfer-Encoding: xchunked\r\n\r\n${hidden}`,
    `${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${hidden}`,
    `${post}X: a\r\n b\r\n\tc\r\nContent-Length : 0\r\n\r\n${hidden}`,
    'GET /api/query HTTP/1.1\nHost: localhost\n\n',
    'NONSENSE /api/query HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'GET /api/query HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
  ];

  for (const bytes of refused) {
    const answers = answersIn(await exchange(service, bytes));
    t.is(answers.length, 1, JSON.stringify(bytes));
    const [answer] = answers;
    t.is(answer?.status, 400);
    t.true(answer !== undefined && isProblem(answer, '/problems/bad-request'));
  }
  t.deepEqual(service.ledger.updates, []);
  t.is((await ask(service, '/api/query')).status, 200);
});

test('a broken chunk in a body is 400 and records nothing', async (t) => {
  const service = await startService(t);

  const text = await exchange(
    service,
    'POST /api/reprice HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
      `Transfer-Encoding: chunked\r\n\r\n5\r\n{"pro\r\nzz\r\n${repriceText()}`,
  );

  const [answer, ...others] = answersIn(text);
  t.deepEqual(others, []);
  t.true(answer !== undefined && isProblem(answer, '/problems/bad-request'));
  t.deepEqual(service.ledger.updates, []);
  await waitUntil(() => service.observed.length === 1);
  t.is(service.observed[0]?.status, 400);
  t.true(service.log.lines.every(({ level }) => level === 'info' || level === 'debug'));
});

test('a header section that is too long is 431', async (t) => {
  const service = await startService(t);

  const [answer, ...others] = answersIn(
    await exchange(
      service,
      `GET /api/query HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(9000)}\r\n\r\n`,
    ),
  );

  t.is(answer?.status, 431);
  t.true(answer !== undefined && isProblem(answer, '/problems/headers-too-large'));
  t.deepEqual(others, []);
});

test('chunk extensions that are too long are 413', async (t) => {
  const service = await startService(t);

  const [answer, ...others] = answersIn(
    await exchange(
      service,
      'POST /api/reprice HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
        `Transfer-Encoding: chunked\r\n\r\n2;${'x'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`,
    ),
  );

  t.is(answer?.status, 413);
  t.true(answer !== undefined && isProblem(answer, '/problems/body-too-large'));
  t.deepEqual(others, []);
});

test('a request with no Host, or with two, is 400 and ends the connection', async (t) => {
  const service = await startService(t);
  const refused = [
    'GET /api/query HTTP/1.1\r\n\r\n',
    'GET /api/query HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    'GET /api/query HTTP/1.1\r\nHost: a\r\nX: host\r\nhOST: a\r\n\r\n',
  ];

  for (const text of refused) {
    const [answer, ...others] = answersIn(await exchange(service, text));
    t.is(answer?.status, 400, text);
    t.true(answer !== undefined && isProblem(answer, '/problems/bad-request'));
    t.deepEqual(others, []);
  }
  t.deepEqual(service.ledger.queries, []);
});

test('a header whose value is the word host is no Host header', async (t) => {
  const service = await startService(t);

  const text = await exchange(service, lastGet.replace('Host: localhost', 'Host: host'));

  t.is(answersIn(text)[0]?.status, 200);
});

test('HTTP/1.0 needs no Host, and a target may be a whole URL', async (t) => {
  const service = await startService(t);

  const old = answersIn(await exchange(service, 'GET /api/query HTTP/1.0\r\n\r\n'));
  const whole = answersIn(
    await exchange(service, lastGet.replace('/api/query', 'http://localhost/api/query?order=desc')),
  );

  t.deepEqual([old[0]?.status, whole[0]?.status], [200, 200]);
  t.deepEqual(
    service.ledger.queries.map(({ order }) => order),
    ['asc', 'desc'],
  );
});

test('a target that no path can be read from is the client’s mistake', async (t) => {
  const service = await startService(t);
  const targets = ['http://[/api/query', 'http://a:b:c/api/query', 'http://localhost:99999/', '*'];

  for (const target of targets) {
    const text = await exchange(service, lastGet.replace('/api/query', target));
    const status = answersIn(text)[0]?.status ?? 0;
    t.true(status === 400 || status === 404, `${target}: ${status}`);
  }
});

test('a header section that does not arrive in time is 408', async (t) => {
  const service = await startService(t, { requestTimeoutMs: 300 });

  const [answer, ...others] = answersIn(await exchange(service, 'GET /api/query HTTP/1.1\r\nHo'));

  t.is(answer?.status, 408);
  t.true(answer !== undefined && isProblem(answer, '/problems/request-timeout'));
  t.deepEqual(others, []);
});

test('a body that does not arrive in time is 408, records nothing and is logged as that', async (t) => {
  const service = await startService(t, { requestTimeoutMs: 300 });

  const [answer, ...others] = answersIn(await exchange(service, repriceText().slice(0, -5)));

  t.is(answer?.status, 408);
  t.true(answer !== undefined && isProblem(answer, '/problems/request-timeout'));
  t.deepEqual(others, []);
  t.deepEqual(service.ledger.updates, []);
  await waitUntil(() => service.observed.length === 1);
  t.is(service.observed[0]?.status, 408);
  t.deepEqual(
    service.log.lines.map(({ level }) => level).filter((level) => level !== 'debug'),
    ['info'],
  );
  t.is((await ask(service, '/api/query')).status, 200);
});

test('a client that goes away while it sends its body is no error of ours', async (t) => {
  const service = await startService(t);
  const socket = connect(service);
  socket.write(repriceText().slice(0, -5));
  await once(service.server, 'request');

  socket.resetAndDestroy();
  await waitUntil(() => service.observed.length === 1);

  t.is(service.observed[0]?.status, 400);
  t.deepEqual(service.ledger.updates, []);
  t.true(service.log.lines.every(({ level }) => level === 'info' || level === 'debug'));
  t.is((await ask(service, '/api/query')).status, 200);
});

test('a client that goes away before its answer is no error of ours', async (t) => {
  const service = await startService(t);
  const disk = hold();
  service.ledger.gate = disk.promise;
  const connecting = once(service.server, 'connection') as Promise<[Socket]>;
  const socket = connect(service);
  socket.write(repriceText());
  const [connection] = await connecting;
  await waitUntil(() => service.ledger.updates.length === 1);

  socket.resetAndDestroy();
  await waitUntil(() => connection.destroyed);
  disk.release();
  await waitUntil(() => service.observed.length === 1);

  t.is(service.observed[0]?.status, 202);
  t.true(service.log.lines.every(({ level }) => level === 'info' || level === 'debug'));
  t.is((await ask(service, '/api/query')).status, 200);
});

test('a broken request behind one that is being served waits for that one’s answer', async (t) => {
  const service = await startService(t);
  const disk = hold();
  service.ledger.gate = disk.promise;

  const reading = exchange(service, `${repriceText()}NONSENSE\r\n\r\n`);
  await waitUntil(() => service.ledger.updates.length === 1);
  await ask(service, '/api/nothing');
  disk.release();
  const text = await reading;

  t.deepEqual(
    answersIn(text).map(({ status }) => status),
    [202, 400],
  );
});

test('a broken body behind a request that is being served waits for that one’s answer', async (t) => {
  const service = await startService(t);
  const disk = hold();
  service.ledger.gate = disk.promise;
  const chunked = repriceText('', 'Transfer-Encoding: chunked\r\n').replace(
    /Content-Length.*\r\n/,
    '',
  );

  const reading = exchange(service, `${repriceText()}${chunked}zz\r\n`);
  await waitUntil(() => service.ledger.updates.length === 1);
  await ask(service, '/api/nothing');
  disk.release();
  const text = await reading;

  t.deepEqual(
    answersIn(text).map(({ status }) => status),
    [202, 400],
  );
});

test('what comes behind a request that ends the connection takes nothing from its answer', async (t) => {
  const service = await startService(t);
  const disk = hold();
  service.ledger.gate = disk.promise;
  const last = repriceText(good, 'Connection: close\r\n');

  const reading = exchange(service, `${last}${repriceText()}NONSENSE\r\n\r\n`);
  await waitUntil(() => service.ledger.updates.length === 1);
  await ask(service, '/api/nothing');
  disk.release();
  const text = await reading;

  t.deepEqual(
    answersIn(text).map(({ status }) => status),
    [202],
  );
  t.is(service.ledger.updates.length, 1);
});

test('a request behind an answer that ends the connection is not served', async (t) => {
  const service = await startService(t, { bodyBytesMax: 1000 });
  const ending = [
    repriceText(good, 'Host: another\r\n'),
    repriceText(good.padEnd(1001)),
    repriceText(good.padEnd(1001), 'Expect: 100-continue\r\n'),
  ];

  for (const text of ending) {
    const answers = answersIn(await exchange(service, text + repriceText()));
    t.is(answers.length, 1);
    t.true(answers[0]?.status === 400 || answers[0]?.status === 413);
  }
  t.deepEqual(service.ledger.updates, []);
});

test('of more than a hundred pipelined requests that wait a hundred are served, and the last answer says so', async (t) => {
  const service = await startService(t);
  const disk = hold();
  service.ledger.gate = disk.promise;

  const reading = exchange(service, repriceText().repeat(103));
  await waitUntil(() => service.ledger.updates.length === 100);
  await ask(service, '/api/nothing');
  disk.release();
  const answers = answersIn(await reading);

  t.deepEqual(
    answers.map(({ status }) => status),
    Array(100).fill(202),
  );
  t.deepEqual(
    answers.flatMap(({ head }, index) => (/connection: close/i.test(head) ? index : [])),
    [99],
  );
  t.is(service.ledger.updates.length, 100);
});

test('a connection ends with the answer to its ten-thousandth request', async (t) => {
  const service = await startService(t);
  const socket = connect(service);
  const ended = readToEnd(socket);
  const rounds = 10_000 / 50;

  for (let round = 0; round < rounds; round += 1) {
    socket.write(repriceText().repeat(50));
    await waitUntil(() => service.observed.length === 50 * (round + 1));
  }
  const answers = answersIn(await ended);

  t.is(answers.length, 10_000);
  t.regex(answers.at(-1)?.head ?? '', /connection: close/i);
  t.notRegex(answers.at(-2)?.head ?? '', /connection: close/i);
});

test('a broken request behind one that was answered gets its own answer', async (t) => {
  const service = await startService(t);
  const socket = connect(service);
  socket.write(repriceText());
  const [first] = (await once(socket, 'data')) as [Buffer];

  socket.write('NONSENSE\r\n\r\n');
  const second = await readToEnd(socket);

  t.is(answersIn(first.toString())[0]?.status, 202);
  t.deepEqual(
    answersIn(second).map(({ status }) => status),
    [400],
  );
});

test('pipelined requests are answered in order', async (t) => {
  const service = await startService(t);

  const text = await exchange(service, repriceText() + repriceText('{}') + lastGet);

  t.deepEqual(
    answersIn(text).map(({ status }) => status),
    [202, 400, 200],
  );
});

test('100 Continue is sent to a client that may send its body, and to no other', async (t) => {
  const service = await startService(t, { bodyBytesMax: 1000 });
  const expecting = 'Expect: 100-continue\r\nConnection: close\r\n';
  const headOf = (text: string) => text.slice(0, text.indexOf('\r\n\r\n') + 4);
  const taken = connect(service);
  taken.write(headOf(repriceText(good, expecting)));
  const [go] = (await once(taken, 'data')) as [Buffer];

  taken.write(good);
  const answer = answersIn(await readToEnd(taken));
  const tooLong = answersIn(
    await exchange(service, headOf(repriceText(good.padEnd(1001), expecting))),
  );
  const notFound = answersIn(
    await exchange(service, headOf(repriceText(good, expecting)).replace('reprice', 'x')),
  );

  const old = answersIn(
    await exchange(service, repriceText(good, expecting).replace('HTTP/1.1', 'HTTP/1.0')),
  );

  t.is(go.toString(), 'HTTP/1.1 100 Continue\r\n\r\n');
  t.deepEqual(
    [answer, tooLong, notFound, old].map((answers) => answers.map(({ status }) => status)),
    [[202], [413], [404], [202]],
  );
});

test('an unknown expectation is 417', async (t) => {
  const service = await startService(t);

  const text = await exchange(service, repriceText(good, 'Expect: foo\r\nConnection: close\r\n'));

  t.is(answersIn(text)[0]?.status, 417);
  t.deepEqual(service.ledger.updates, []);
});

test('CONNECT and an upgrade never leave a client waiting', async (t) => {
  const service = await startService(t);
  const upgrade = lastGet.replace(
    'Connection: close',
    'Connection: upgrade, close\r\nUpgrade: websocket',
  );

  const tunnel = await exchange(service, 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n');
  const upgraded = answersIn(await exchange(service, upgrade));

  t.is(tunnel, '');
  t.is(upgraded[0]?.status, 200);
});

test('the limits of the server are those that are promised', async (t) => {
  const { server } = await startService(t, { requestTimeoutMs: 15_000 });
  const quick = await startService(t, { requestTimeoutMs: 300 });

  t.is(server.headersTimeout, 10_000);
  t.is(server.requestTimeout, 15_000);
  t.is(server.keepAliveTimeout, 65_000);
  t.is(server.timeout, 65_000);
  t.is(server.maxConnections, 2000);
  t.is(server.maxHeadersCount, 0);
  t.is(quick.server.headersTimeout, 300);
  t.is(quick.server.requestTimeout, 300);
});

test('a connection past the limit is closed at once, and one that closes makes room', async (t) => {
  const service = await startService(t, { connectionsMax: 1 });
  const connecting = once(service.server, 'connection') as Promise<[Socket]>;
  const first = connect(service);
  const [connection] = await connecting;
  const dropped = once(service.server, 'drop');

  const refused = await exchange(service, lastGet);
  await dropped;
  first.destroy();
  await once(connection, 'close');
  const taken = await exchange(service, lastGet);

  t.is(refused, '');
  t.is(answersIn(taken)[0]?.status, 200);
});

test('a client that takes nothing of its answer loses its connection', async (t) => {
  const service = await startService(t);
  service.server.timeout = 200;
  const moreThanBuffersHold = 'x'.repeat(32 * 1024 * 1024);
  service.server.removeAllListeners('request');
  service.server.on('request', (_request, response) => response.end(moreThanBuffersHold));
  const connecting = once(service.server, 'connection') as Promise<[Socket]>;
  const socket = connect(service);
  socket.write(lastGet);
  const [connection] = await connecting;

  await once(connection, 'close');

  t.true(socket.bytesRead < moreThanBuffersHold.length);
  socket.destroy();
});

test('a body that is far too long is told so, and the service goes on', async (t) => {
  const service = await startService(t);

  const answer = await post(service, good.padEnd(200_000), { connection: 'keep-alive' });

  t.is(answer.status, 413);
  t.is(answer.headers.connection, 'close');
  t.is((await post(service, good)).status, 202);
});
