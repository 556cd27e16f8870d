import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { Health } from '../../src/ops/health.ts';
import { Metrics } from '../../src/ops/metrics.ts';
import { Profiler } from '../../src/ops/profiler.ts';
import type { Readings } from '../../src/ops/readings.ts';
import { createRecordingLog } from './recording-log.ts';
import { unknownReadings } from './samples.ts';
import { startBackplane } from './start-backplane.ts';

const identity = { service: 'prices', version: '1.2.3', environment: 'test' };

async function setup(t: ExecutionContext, read: () => Readings = () => unknownReadings) {
  const health = new Health();
  const metrics = new Metrics(read);
  const log = createRecordingLog();
  const profiler = new Profiler();
  const isLocalOnly = true;
  const port = await startBackplane(t, { identity, health, metrics, log, isLocalOnly, profiler });
  const ask = (path: string, method = 'GET', headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { method, headers });
  return { health, metrics, log, ask, port };
}

test('a process that answers is alive, whatever keeps it from being ready', async (t) => {
  const { health, ask } = await setup(t);
  health.notReady('storage failed');

  const response = await ask('/healthz/alive');

  t.is(response.status, 200);
  t.deepEqual(await response.json(), { status: 'alive', ...identity });
});

test('readiness follows health, and says what stands against it', async (t) => {
  const { health, ask } = await setup(t);

  const ready = await ask('/healthz/ready');
  const whole = await ask('/healthz');
  health.notReady('no space', '10 bytes are free');
  const notReady = await ask('/healthz/ready');

  t.is(ready.status, 200);
  t.deepEqual(await ready.json(), { status: 'ready', ...identity });
  t.deepEqual(await whole.json(), { status: 'ready', ...identity });
  t.is(notReady.status, 503);
  t.deepEqual(await notReady.json(), {
    status: 'not ready',
    ...identity,
    reasons: [{ reason: 'no space', detail: '10 bytes are free' }],
  });
});

test('health is never cached', async (t) => {
  const { ask } = await setup(t);

  t.is((await ask('/healthz/ready')).headers.get('cache-control'), 'no-store');
});

test('metrics are served as Prometheus text', async (t) => {
  const { metrics, ask } = await setup(t);
  metrics.countTornTail();

  const response = await ask('/metrics');

  t.is(response.status, 200);
  t.is(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  t.regex(await response.text(), /^repricer_torn_tails_cut_total 1$/m);
});

test('HEAD is answered like GET, without a body', async (t) => {
  const { ask } = await setup(t);

  const response = await ask('/healthz/ready', 'HEAD');

  t.is(response.status, 200);
  t.is(await response.text(), '');
});

test('any other path is a 404 problem, the API’s paths included', async (t) => {
  const { ask } = await setup(t);

  for (const path of ['/', '/healthz/', '/metrics/', '/api/query', '/constructor']) {
    const response = await ask(path);
    t.is(response.status, 404, path);
    t.is(response.headers.get('content-type'), 'application/problem+json');
    t.deepEqual(await response.json(), { type: 'about:blank', title: 'Not Found', status: 404 });
  }
});

test('any other method is a 405 problem that names the allowed ones', async (t) => {
  const { ask } = await setup(t);

  const response = await ask('/metrics', 'POST');

  t.is(response.status, 405);
  t.is(response.headers.get('allow'), 'GET, HEAD');
  t.is(response.headers.get('content-type'), 'application/problem+json');
  t.like(await response.json(), { status: 405 });
});

test('pages in browsers get nothing but liveness and readiness', async (t) => {
  const { ask } = await setup(t);
  const pages: Record<string, string>[] = [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ];

  for (const headers of pages) {
    t.is((await ask('/metrics', 'GET', headers)).status, 403);
    t.is((await ask('/profile/cpu?seconds=1', 'POST', headers)).status, 403);
    t.is((await ask('/profile/heap?seconds=1', 'POST', headers)).status, 403);
    t.is((await ask('/healthz/ready', 'POST', headers)).status, 403);
    t.is((await ask('/healthz/ready', 'GET', headers)).status, 200);
    t.is((await ask('/healthz/alive', 'HEAD', headers)).status, 200);
  }
  t.is((await ask('/metrics', 'GET', { 'sec-fetch-site': 'none' })).status, 200);
});

test('on the machine itself it answers to no name but the machine’s own', async (t) => {
  const { port } = await setup(t);
  const statusFor = async (host: string, path: string) => {
    const asked = request({ port, host: '127.0.0.1', path, headers: { host } }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };

  for (const path of ['/metrics', '/healthz/ready']) {
    t.is(await statusFor('evil.example:9102', path), 421);
    t.is(await statusFor('localhost:9102', path), 200);
  }
});

test('a scrape that fails is a 500 to the scraper and a line in the log', async (t) => {
  const { log, ask } = await setup(t, () => {
    throw new Error('a reading failed');
  });

  const response = await ask('/metrics');

  t.is(response.status, 500);
  t.is(log.lines[0]?.level, 'warn');
  t.like(log.lines[0]?.fields, { error: { message: 'a reading failed' } });
});
