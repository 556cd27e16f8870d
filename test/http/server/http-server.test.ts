import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import net, { type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { EventStream } from '../../support/event-stream.ts';
import { answersIn, type RawAnswer } from '../../support/raw-answers.ts';
import {
  ask,
  connect,
  exchange,
  hold,
  readToEnd,
  type Service,
  startService,
} from '../http-fixture.ts';

const good = '{"productId":"foo","price":3.55}';

function repriceText(body = good, headers = ''): string {
  return (
    'POST /api/reprice HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
    `Content-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`
  );
}

const lastGet = 'GET /api/query HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

function statusesIn(text: string): readonly number[] {
  return answersIn(text).map(({ status }) => status);
}

/** What is answered to these bytes, while so many writes wait for the disk until all bytes were read. */
async function exchangeHeld(service: Service, bytes: string, writes: number): Promise<string> {
  const disk = hold();
  service.ledger.gate = disk.promise;
  const reading = exchange(service, bytes);
  await waitUntil(() => service.ledger.updates.length === writes);
  // Comes behind, so with its answer all that came before has been read.
  await ask(service, '/api/nothing');
  disk.release();
  return reading;
}

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

test('a header section that does not arrive in time is 408', async (t) => {
  const service = await startService(t, { requestTimeoutMs: 1000 });

  const [answer, ...others] = answersIn(await exchange(service, 'GET /api/query HTTP/1.1\r\nHo'));

  t.is(answer?.status, 408);
  t.true(answer !== undefined && isProblem(answer, '/problems/request-timeout'));
  t.deepEqual(others, []);
});

test('a body that does not arrive in time is 408, records nothing and is logged as that', async (t) => {
  const service = await startService(t, { requestTimeoutMs: 1000 });

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

  const text = await exchangeHeld(service, `${repriceText()}NONSENSE\r\n\r\n`, 1);

  t.deepEqual(statusesIn(text), [202, 400]);
});

test('a request that was answered before its body had arrived gets no second answer when it is late', async (t) => {
  const service = await startService(t, { requestTimeoutMs: 2000 });
  const head =
    'POST /api/reprice HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n' +
    'Content-Length: 100\r\n\r\n';

  const text = await exchange(service, `${head}the beginning`);

  t.deepEqual(statusesIn(text), [415]);
});

for (const [what, late, rest, statuses] of [
  ['does not arrive in time', 'GET /api/query HTTP/1.1\r\nHo', '', ['200', '408']],
  [
    'arrives too late, and whole,',
    repriceText().slice(0, -5),
    repriceText().slice(-5) + lastGet,
    ['200', '202'],
  ],
] as const) {
  test(`a request that ${what} behind a batch that is being served is answered once`, async (t) => {
    const service = await startService(t, { requestTimeoutMs: 2000 });
    const [batchHeld, otherHeld] = [hold(), hold()];
    service.ledger.gate = batchHeld.promise;
    const line = '{"productId":"a","price":1}';
    const batch =
      'POST /api/reprice/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n' +
      `Content-Length: ${line.length}\r\n\r\n${line}`;
    const socket = connect(service);
    const reading = readToEnd(socket);

    socket.write(batch + late);
    await once(service.server, 'clientError');
    service.ledger.gate = otherHeld.promise;
    socket.write(rest);
    // Comes behind, so with its answer the rest has been read.
    await ask(service, '/api/nothing');
    batchHeld.release();
    await waitUntil(() => service.observed.length === 2);
    otherHeld.release();
    const text = await reading;

    const found = [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status);
    t.deepEqual(found, statuses);
  });
}

test('a broken body behind a request that is being served waits for that one’s answer', async (t) => {
  const service = await startService(t);
  const chunked = repriceText('', 'Transfer-Encoding: chunked\r\n').replace(
    /Content-Length.*\r\n/,
    '',
  );

  const text = await exchangeHeld(service, `${repriceText()}${chunked}zz\r\n`, 1);

  t.deepEqual(statusesIn(text), [202, 400]);
});

test('what comes behind a request that ends the connection takes nothing from its answer', async (t) => {
  const service = await startService(t);
  const last = repriceText(good, 'Connection: close\r\n');

  const text = await exchangeHeld(service, `${last}${repriceText()}NONSENSE\r\n\r\n`, 1);

  t.deepEqual(statusesIn(text), [202]);
  t.is(service.ledger.updates.length, 1);
});

test('a request behind an answer that ends the connection is not served', async (t) => {
  const service = await startService(t, { bodyBytesMax: 1000 });
  const ending = [
    repriceText(good, 'Host: another\r\n'),
    repriceText(good.padEnd(1001), 'Expect: 100-continue\r\n'),
  ];

  for (const text of ending) {
    const answers = answersIn(await exchange(service, text + repriceText()));
    t.is(answers.length, 1);
    t.true(answers[0]?.status === 400 || answers[0]?.status === 413);
  }
  t.deepEqual(service.ledger.updates, []);
});

for (const [what, version, field] of [
  ['keeps its connection', '1.1', ''],
  ['wants it closed', '1.1', 'Connection: close\r\n'],
  ['speaks HTTP/1.0', '1.0', ''],
] as const) {
  test(`a client that ${what} and sends a long body to its end sees the refusal`, async (t) => {
    const service = await startService(t, { bodyBytesMax: 1000 });
    const bytes = 8_000_000;

    for (const [path, status] of [
      ['/api/reprice', 413],
      ['/api/nothing', 404],
    ] as const) {
      const socket = connect(service);
      await once(socket, 'connect');
      socket.pause();
      const head =
        `POST ${path} HTTP/${version}\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
        `${field}Content-Length: ${bytes}\r\n\r\n`;

      // It looks at no answer before all is sent, as far as the system goes.
      await new Promise<void>((resolve, reject) => {
        socket.write(head + ' '.repeat(bytes), (error) =>
          error == null ? resolve() : reject(error),
        );
      });
      const answer = await firstChunk(socket);

      t.regex(answer, new RegExp(`^HTTP/1.1 ${status} `), path);
      socket.destroy();
    }
  });
}

test('a client whose body nobody has read when it is refused is not reset', async (t) => {
  const service = await startService(t);
  service.server.removeAllListeners('request');
  const requesting = once(service.server, 'request') as Promise<[IncomingMessage]>;
  const chunkOf = (bytes: number) => `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`;
  const client = net.connect({ port: service.port, allowHalfOpen: true });
  client.on('error', () => {});
  const answering = once(client, 'data') as Promise<[Buffer]>;
  client.write('POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n');
  const [request] = await requesting;
  const almostAll = request.readableHighWaterMark - 1000;
  client.write(chunkOf(almostAll));
  await waitUntil(() => request.readableLength === almostAll);

  client.write(`${chunkOf(1000)}zz\r\n`);
  const [answer] = await answering;
  client.end('x'.repeat(4_000_000));
  await Promise.all(
    [client, request.socket].map((one) => new Promise((resolve) => one.once('close', resolve))),
  );

  t.regex(answer.toString(), /^HTTP\/1.1 400 /);
  t.is(client.errored, null);
  t.true(request.socket.bytesRead > 4_000_000);
});

test('a client that goes on for ever after its answer is cut off', async (t) => {
  const service = await startService(t);
  const starts = [
    'POST /api/nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n',
    'no HTTP\r\n\r\n',
  ];

  const startedMs = performance.now();
  await Promise.all(
    starts.map(async (start) => {
      const socket = net.connect({ port: service.port, allowHalfOpen: true });
      socket.on('error', () => {});
      socket.resume();
      socket.write(start);
      const trickle = setInterval(() => socket.write('x'), 100);
      t.teardown(() => clearInterval(trickle));
      // Whether it ends with a reset depends on what was on the way; `once` would take that for a failure.
      await new Promise((resolve) => socket.once('close', resolve));
    }),
  );

  t.true(performance.now() - startedMs < 14_000, 'before the time of a whole request is over');
});

test('a client that goes on sending after it was refused is not reset, and what it sends completes nothing', async (t) => {
  const service = await startService(t, { requestTimeoutMs: 100 });
  const body = good.padEnd(1000);
  for (const start of ['no HTTP\r\n\r\n', repriceText(body).slice(0, -900)]) {
    const client = net.connect({ port: service.port, allowHalfOpen: true });
    client.on('error', () => {});
    client.write(start);
    const [refusal] = (await once(client, 'data')) as [Buffer];
    await once(client, 'end');

    for (const part of [body.slice(-900), 'more', repriceText()]) {
      client.write(part);
      await delay(20);
    }
    client.end();
    await once(client, 'close');

    t.regex(refusal.toString(), /^HTTP\/1.1 40[08] /);
    t.is(client.errored, null);
  }
  t.deepEqual(service.ledger.updates, []);
});

test('a request behind a body that was refused is served', async (t) => {
  const service = await startService(t, { bodyBytesMax: 1000 });

  const answers = answersIn(
    await exchange(
      service,
      repriceText(good.padEnd(1001)) + repriceText(good, 'Connection: close\r\n'),
    ),
  );

  t.deepEqual(
    answers.map(({ status }) => status),
    [413, 202],
  );
  t.is(service.ledger.updates.length, 1);
});

test('a request behind one that expects 100 Continue and is answered without is not served', async (t) => {
  const service = await startService(t);
  const expecting = lastGet.replace('Connection: close', 'Expect: 100-continue');

  const answers = answersIn(await exchange(service, expecting + repriceText()));

  t.deepEqual(
    answers.map(({ status, head }) => [status, /\r\nconnection: close\r\n/i.test(head)]),
    [[200, true]],
  );
  t.deepEqual(service.ledger.updates, []);
});

test('of more than a hundred pipelined requests that wait a hundred are served, and the last answer says so', async (t) => {
  const service = await startService(t);

  const answers = answersIn(await exchangeHeld(service, repriceText().repeat(103), 100));

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
  t.deepEqual(statusesIn(second), [400]);
});

test('pipelined requests are answered in order', async (t) => {
  const service = await startService(t);

  const text = await exchange(service, repriceText() + repriceText('{}') + lastGet);

  t.deepEqual(statusesIn(text), [202, 400, 200]);
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

test('heartbeats keep a quiet stream open past the time after which idle connections are closed', async (t) => {
  const service = await startService(t, { streamHeartbeatMs: 100 });
  service.server.timeout = 1000;

  const stream = await EventStream.open(`http://127.0.0.1:${service.port}/api/stream`);
  await stream.until(({ comments }) => comments.length === 15);

  t.false(stream.isClosed);
  t.is(stream.lastEventId, '0');
});

test('a client that takes nothing of its answer loses its connection', async (t) => {
  const service = await startService(t);
  service.server.timeout = 200;
  const moreThanBuffersHold = 'x'.repeat(32 * 1024 * 1024);
  service.server.removeAllListeners('request');
  service.server.on('request', (_request, response) => response.end(moreThanBuffersHold));
  const connecting = once(service.server, 'connection') as Promise<[Socket]>;
  const socket = connect(service);
  // It is told of the cut when it notices that before the test is over.
  socket.on('error', () => {});
  socket.write(lastGet);
  const [connection] = await connecting;

  await once(connection, 'close');

  t.true(socket.bytesRead < moreThanBuffersHold.length);
  socket.destroy();
});

async function firstChunk(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket.resume(), 'data')) as [Buffer];
  return chunk.toString('latin1');
}
