import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { productFile } from '../../src/storage/product-file.ts';
import { BrokenConnection, ChildService, mainFile, runMain } from '../support/child-service.ts';
import { productId } from '../support/records.ts';
import { checkCleanStore, checkStore } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const cutShort = 'the stop took too long and is cut short; the next start recovers';

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} under load: every request is answered truly, and the stop is clean`, async (t) => {
    const directory = await temporaryDirectory(t);
    const service = await ChildService.start(t, directory);
    const seqs = new Set<number>();
    const broken: string[] = [];
    const client = async (number: number) => {
      for (let count = 0; ; count += 1) {
        try {
          const { status, headers } = await service.reprice(`p${number}`, `${count + 1}`);
          if (status === 202) seqs.add(Number(headers['repricer-seq']));
          else return;
        } catch (error) {
          // On a new connection the request was never accepted; on one in use an answer was lost.
          if (error instanceof BrokenConnection && error.wasInUse) broken.push(error.message);
          return;
        }
      }
    };

    const clients = Array.from({ length: 20 }, (_, number) => client(number));
    while (seqs.size < 200) await nextTurn();
    const { code } = await service.kill(signal);
    await Promise.all(clients);

    t.is(code, 0);
    t.deepEqual(broken, []);
    t.is((await checkCleanStore(t, directory)).records, seqs.size);
  });
}

test('while a client is still sending, the stop waits for it, readiness says draining, and it gets its answer', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory);
  const slow = await sendHalf(service.port);

  service.signal('SIGTERM');
  await service.logLine('stopping');
  const readiness = await fetch(`http://127.0.0.1:${service.backplanePort}/healthz/ready`);
  slow.write('2.50}');
  const answer = await textOf(slow);

  t.is(readiness.status, 503);
  t.like(await readiness.json(), { reasons: [{ reason: 'draining' }] });
  t.regex(answer, /^HTTP\/1\.1 202 /);
  t.regex(answer, /\r\nConnection: close\r\n/i);
  t.is((await service.exited).code, 0);
  t.is((await checkCleanStore(t, directory)).records, 1);
});

for (const [what, sendsOn] of [
  ['whose client sends on', true],
  ['whose client falls silent with the rest unsent', false],
] as const) {
  test(`in a long batch ${what}, a stop tells it where it ended and is clean`, async (t) => {
    const directory = await temporaryDirectory(t);
    const service = await ChildService.start(t, directory);
    const socket = connect(service.port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    socket.on('error', () => {});
    const received: string[] = [];
    socket.setEncoding('utf8').on('data', (chunk: string) => received.push(chunk));
    const line = '{"productId":"a","price":1}\n';

    socket.write(
      'POST /api/reprice/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n' +
        `Content-Length: ${line.length * 1_000_000}\r\n\r\n`,
    );
    socket.write(line.repeat(300_000));
    while (!received.join('').includes('"status":202')) await once(socket, 'data');
    service.signal('SIGTERM');
    while (!received.join('').endsWith('0\r\n\r\n')) await once(socket, 'data');
    if (sendsOn) socket.write(line.repeat(700_000));
    const { code } = await service.exited;

    const answer = received.join('');
    const accepted = [...answer.matchAll(/"status":202,"seq":(\d+)/g)].map(([, seq]) =>
      Number(seq),
    );
    t.is(code, 0);
    t.regex(answer, /"status":503,"problem":\{"type":"\/problems\/draining"/);
    const { records } = await checkCleanStore(t, directory);
    t.deepEqual([accepted.length, accepted.at(-1)], [records, records]);
  });
}

test('a connection that never sends anything does not hold up a stop', async (t) => {
  const service = await ChildService.start(t, await temporaryDirectory(t), [
    ...['--shutdown-timeout-ms', '5000'],
  ]);
  const silent = connect(service.port, '127.0.0.1');
  silent.on('error', () => silent.destroy());
  await once(silent, 'connect');

  t.is((await service.kill('SIGTERM')).code, 0);
});

test('the same signal twice at once, as from a terminal and from npm, is one', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory);
  await service.reprice('a', '1');

  service.signal('SIGINT');
  service.signal('SIGINT');
  const { code } = await service.exited;

  t.is(code, 0);
  await checkCleanStore(t, directory);
});

test('a later signal ends the process at once, with 1 and nothing acknowledged lost', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory);
  await service.reprice('a', '1');
  const slow = await sendHalf(service.port);
  slow.on('error', () => slow.destroy());

  service.signal('SIGTERM');
  await service.logLine('stopping');
  const end = setInterval(() => service.signal('SIGTERM'), 100);
  const { code } = await service.exited;
  clearInterval(end);

  t.is(code, 1);
  t.is((await checkStore(t, directory)).records, 1);
});

test('a stop that passes its deadline ends with 1 and nothing acknowledged lost', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory, ['--shutdown-timeout-ms', '100']);
  await service.reprice('a', '1');
  const slow = await sendHalf(service.port);
  slow.on('error', () => slow.destroy());

  const { code } = await service.kill('SIGTERM');

  t.is(code, 1);
  t.is((await checkStore(t, directory)).records, 1);
});

for (const how of ['its deadline', 'a second signal'] as const) {
  test(`${how} ends a stop also while a call to the file system hangs, and another service can start`, async (t) => {
    const directory = await temporaryDirectory(t);
    const isLate = how === 'its deadline';
    const { service, mend } = await startHanging(t, directory, isLate ? '100' : '60000');

    service.signal('SIGTERM');
    await service.logLine('stopping');
    const more = isLate ? undefined : setInterval(() => service.signal('SIGTERM'), 100);
    const { signal } = await service.exited;
    clearInterval(more);

    t.is(signal, 'SIGKILL');
    if (isLate) await service.logLine(cutShort);
    await mend();
    const next = await ChildService.start(t, directory);
    t.is((await next.kill('SIGTERM')).code, 0);
    t.is((await checkCleanStore(t, directory)).records, 1);
  });
}

test('a second process on the directory ends with 75 and touches nothing, also while the first is paused', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory);
  await service.reprice('a', '1');
  await (await ChildService.start(t, await temporaryDirectory(t))).kill('SIGTERM');
  service.signal('SIGSTOP');
  const before = await changeTimesOf(directory);

  const second = await ChildService.launch(t, directory).exited;
  const verify = await runMain(['verify', '--data-dir', directory]);

  t.is(second.code, 75);
  t.is(verify.code, 75);
  t.deepEqual(await changeTimesOf(directory), before);
  service.signal('SIGCONT');
  t.is((await service.kill('SIGTERM')).code, 0);
  await checkCleanStore(t, directory);
});

test('damaged data ends a start and a verification with 65, file, offset and seq, and changes nothing', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory);
  await service.reprice('a', '1');
  await service.reprice('a', '2');
  await service.kill('SIGTERM');
  const [segment = ''] = (await readdir(join(directory, 'results'), { recursive: true })).filter(
    (name) => name.endsWith('.ndjson'),
  );
  const path = join(directory, 'results', segment);
  await writeFile(path, (await readFile(path, 'utf8')).replace('"newPrice":2.0', '"newPrice":3.0'));
  const before = await changeTimesOf(directory);

  const start = ChildService.launch(t, directory);
  const { code } = await start.exited;
  const verify = await runMain(['verify', '--data-dir', directory]);

  t.is(code, 65);
  t.is(verify.code, 65);
  const message = JSON.stringify(start.logLines);
  t.regex(message, /00001\.ndjson, offset \d+, seq 2: /);
  t.regex(verify.stdout, /DAMAGE +results\/date=.*00001\.ndjson, offset \d+, seq 2: /);
  t.deepEqual(await changeTimesOf(directory), before);
});

test('a damaged journal is explained by repair and mended by repair --apply', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory);
  await service.reprice('a', '1');
  const whileServed = await runMain(['repair', '--apply', '--data-dir', directory]);
  await service.kill('SIGTERM');
  const [segment = ''] = (await readdir(join(directory, 'results'), { recursive: true })).filter(
    (name) => name.endsWith('.ndjson'),
  );
  const path = join(directory, 'results', segment);
  const whole = await readFile(path, 'utf8');
  await writeFile(path, whole.replace('"newPrice":1.0', '"newPrice":3.0'));
  const before = await changeTimesOf(directory);

  const explained = await runMain(['repair', '--data-dir', directory]);
  const aloud = await runMain(['repair', '--dry-run', '--data-dir', directory]);
  const both = await runMain(['repair', '--dry-run', '--apply', '--data-dir', directory]);
  const after = await changeTimesOf(directory);
  const mended = await runMain(['repair', '--apply', '--data-dir', directory]);
  const verified = await runMain(['verify', '--data-dir', directory]);
  const rebuilt = await runMain(['verify', '--fix-derived', '--data-dir', directory]);

  t.is(whileServed.code, 75);
  t.is(explained.code, 0);
  t.deepEqual(aloud, explained);
  t.is(both.code, 64);
  t.regex(both.stderr, /--apply and --dry-run exclude each other/);
  t.regex(explained.stdout, /would mend .*seq 1 from product files.*Nothing was changed/s);
  t.deepEqual(after, before);
  t.is(mended.code, 0, mended.stdout);
  t.is(await readFile(path, 'utf8'), whole);
  t.is(verified.code, 0, verified.stdout);
  t.is(rebuilt.code, 0, rebuilt.stdout);
});

test('bad flags end with 64 and all problems at once, on standard error', async (t) => {
  const { code, stderr, stdout } = await runMain([
    'serve',
    '--port',
    'x',
    '--queue-max',
    '0',
    '--no',
  ]);

  t.is(code, 64);
  t.is(stdout, '');
  for (const flag of ['--port', '--queue-max', '--no']) t.true(stderr.includes(flag), flag);
});

test('an unknown command and a missing directory end with 64', async (t) => {
  const missing = join(await temporaryDirectory(t), 'missing');

  t.is((await runMain(['sing'])).code, 64);
  t.is((await runMain([])).code, 64);
  t.is((await runMain(['verify', '--data-dir', missing])).code, 64);
});

test('help names every command and flag', async (t) => {
  const { code, stdout } = await runMain(['--help']);

  t.is(code, 0);
  for (const word of [
    'serve',
    'verify',
    'repair',
    '--apply',
    '--dry-run',
    '--fix-derived',
    '--data-dir',
    '--queue-max',
    'REPRICER_LOG_LEVEL',
  ]) {
    t.true(stdout.includes(word), word);
  }
});

test('a trace is continued in the log and answered', async (t) => {
  const service = await ChildService.start(t, await temporaryDirectory(t));
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

  const { headers } = await service.send('GET', '/api/query', undefined, { traceparent });
  const line = await service.logLine('request');
  await service.kill('SIGTERM');

  t.is(line['traceId'], traceId);
  t.is(headers['traceresponse'], `00-${traceId}-${String(line['spanId'])}-01`);
  t.like(line, { method: 'GET', route: '/api/query', status: 200 });
});

test('npm start hands its signals to the service', async (t) => {
  const root = new URL('../../../package.json', import.meta.url);
  const candidates = [root, new URL('../../../../../package.json', import.meta.url)];
  const texts = await Promise.allSettled(candidates.map((url) => readFile(url, 'utf8')));
  const [found] = texts.flatMap((text) => (text.status === 'fulfilled' ? [text.value] : []));
  const { scripts } = JSON.parse(found ?? '{}') as { scripts: { start: string } };

  t.regex(scripts.start, /&& exec node --enable-source-maps build\/src\/main\.js serve$/);
  t.true(mainFile.endsWith('/src/main.js'));
});

/** A service with one record and a read under way that never ends, as of a disk that is gone. */
async function startHanging(t: ExecutionContext, directory: string, deadlineMs: string) {
  const flags = ['--admin', '--shutdown-timeout-ms', deadlineMs];
  const service = await ChildService.start(t, directory, flags);
  await service.reprice('a', '1');
  await fetch(`http://127.0.0.1:${service.backplanePort}/admin/flush`, { method: 'POST' });
  const file = join(directory, productFile(productId('a')));
  await rename(file, `${file}.away`);
  await promisify(execFile)('mkfifo', [file]);
  service.get('/api/query?productId=a').catch(() => {});
  await service.get('/api/record/1');
  const mend = () => rename(`${file}.away`, file);
  return { service, mend };
}

/** A request of which the body's end is not sent yet. */
function sendHalf(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      const head =
        'POST /api/reprice HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
      const body = '{"productId":"slow","price":2.50}';
      socket.write(`${head}Expect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`);
      // The service asks for the body once the request is in the hands of its handler.
      socket.once('data', () => {
        socket.write(body.slice(0, -5));
        resolve(socket);
      });
    });
    socket.once('error', reject);
  });
}

async function textOf(socket: Socket): Promise<string> {
  let text = '';
  for await (const part of socket.setEncoding('utf8')) text += String(part);
  return text;
}

/** For each file when its content or name last changed. */
async function changeTimesOf(directory: string): Promise<Record<string, number>> {
  const names = await readdir(directory, { recursive: true });
  const entries = names.sort().map(async (name) => {
    return [name, (await stat(join(directory, name))).ctimeMs] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
