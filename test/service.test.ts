import { once } from 'node:events';
import { createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { readConfig } from '../src/config/read-config.ts';
import type { RepricerError } from '../src/errors.ts';
import { createLog } from '../src/ops/log.ts';
import { startService } from '../src/service.ts';
import { FaultyFiles } from './support/faulty-files.ts';
import { TestClock } from './support/records.ts';
import { checkCleanStore, checkStore } from './support/store.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

/* The whole service in this process, on a file system that a test can hold and fail. */

const journal = /results\/date=/;

test('with as many records held by the disk as may wait the next is refused with 503 and nothing of it is recorded', async (t) => {
  const service = await start(t, undefined, undefined, 0, ['--queue-max', '50']);
  const hold = service.files.hold('datasync', journal);
  const held = Array.from({ length: 50 }, (_, index) => service.reprice(`p${index}`, '1.50'));
  await hold.reached();
  await service.until('repricer_queue_length 50');

  const refused = await service.reprice('p50', '1.50');
  hold.release();
  const answers = await Promise.all(held);

  t.is(refused.status, 503);
  t.is(refused.headers.get('retry-after'), '1');
  t.is(refused.headers.get('content-type'), 'application/problem+json');
  t.like(await refused.json(), { type: '/problems/queue-full', status: 503 });
  t.deepEqual(
    answers.map(({ status }) => status),
    Array(50).fill(202),
  );
  t.is((await service.price('p50')).status, 404);
  await service.stop();
  t.is((await checkCleanStore(t, service.directory)).records, 50);
});

test('of 100 parallel reprices of 50 products at least 50 are accepted, each of those is recorded, the rest get 503', async (t) => {
  const service = await start(t);

  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => service.reprice(`p${index % 50}`, `${index + 1}.5`)),
  );

  const statuses = answers.map(({ status }) => status);
  const accepted = statuses.filter((status) => status === 202).length;
  t.true(accepted >= 50, `${accepted} accepted`);
  t.is(statuses.filter((status) => status === 503).length, 100 - accepted);
  const seqs = answers.flatMap(({ headers }) => headers.get('repricer-seq') ?? []);
  t.is(new Set(seqs).size, accepted);
  await service.stop();
  t.is((await checkCleanStore(t, service.directory)).records, accepted);
});

for (const [endpoint, path, file] of [
  ['price', '/api/product/cold/price', /results_by_product/],
  ['query', '/api/query?productId=cold', /results_by_product/],
] as const) {
  test(`with 50 reads held at ${endpoint} the 51st is refused with 503, and other endpoints are not`, async (t) => {
    const before = await start(t);
    await before.reprice('cold', '1');
    await before.stop();
    const service = await start(t, before.directory);
    const hold = service.files.hold('open', file);
    const held = Array.from({ length: 50 }, () => fetch(service.url + path));
    await hold.reached(50);

    const refused = await fetch(service.url + path);
    const other = await fetch(`${service.url}/api/query?from=2200-01-01T00:00:00Z`);
    hold.release();
    const answers = await Promise.all(held);

    t.is(refused.status, 503);
    t.is(refused.headers.get('retry-after'), '1');
    t.like(await refused.json(), { type: '/problems/too-many-reads' });
    t.is(other.status, endpoint === 'price' ? 200 : 503);
    t.deepEqual(
      answers.map(({ status }) => status),
      Array(50).fill(200),
    );
    await service.stop();
    await checkCleanStore(t, service.directory);
  });
}

test('a failed sync answers 503 to batch and queue, is reported once, and leaves nothing that was not acknowledged', async (t) => {
  const service = await start(t);
  await service.reprice('a', '1');
  const hold = service.files.hold('datasync', journal);
  const writes = [service.reprice('a', '2')];
  await hold.reached();
  writes.push(service.reprice('a', '3'), service.reprice('b', '4'));
  await service.until('repricer_queue_length 3');
  service.files.fail('datasync', journal, 'EIO', { times: 1 });
  hold.release();

  const answers = await Promise.all(writes);

  t.deepEqual(
    answers.map(({ status }) => status),
    [503, 503, 503],
  );
  t.false((await answers[0]?.text())?.includes('EIO'), 'no internals are shown');
  t.deepEqual(
    service.failures.map(({ code }) => code),
    ['STORAGE_FAILED'],
  );
  t.like(await service.readiness(), { status: 503, reasons: ['storage failed'] });
  await service.stop();
  t.is((await checkStore(t, service.directory)).records, 1);
});

test('no space is 507, reads go on, readiness says why, and writes are taken again when there is room', async (t) => {
  const service = await start(t);
  await service.reprice('a', '1');
  const full = service.files.fail('write', journal, 'ENOSPC');
  service.files.setRoom({ freeBytes: 0, freeFiles: 0 });

  const refused = await service.reprice('a', '2');
  const readiness = await service.readiness();
  const read = await service.price('a');
  full.stop();
  service.files.setRoom(undefined);
  await service.untilReady();
  const accepted = await service.reprice('a', '3');

  t.is(refused.status, 507);
  t.truthy(refused.headers.get('retry-after'));
  t.deepEqual(readiness, { status: 503, reasons: ['no space'] });
  t.like(await read.json(), { price: 1, version: 1 });
  t.is(accepted.headers.get('etag'), '"2"');
  await service.stop();
  await checkCleanStore(t, service.directory);
});

test('readiness says recovering until the data is recovered, and the API does not listen before', async (t) => {
  const directory = await temporaryDirectory(t);
  const files = new FaultyFiles();
  const hold = files.hold('open', /checkpoint/);
  const port = await freePort();
  const starting = start(t, directory, files, port);
  await hold.reached();

  const readiness = await readinessAt(port);
  const alive = await fetch(`http://127.0.0.1:${port}/healthz/alive`);
  hold.release();
  const service = await starting;

  t.deepEqual(readiness, { status: 503, reasons: ['recovering'] });
  t.is(alive.status, 200);
  t.deepEqual(await service.readiness(), { status: 200, reasons: [] });
  await service.stop();
});

test('a start that fails lets go of everything that it had taken', async (t) => {
  const service = await start(t);
  const { directory } = service;

  await t.throwsAsync(start(t, directory), { code: 'DIRECTORY_LOCKED' });
  await service.stop();
  const files = new FaultyFiles();
  files.fail('open', /manifest/, 'EIO', { times: 1 });
  await t.throwsAsync(start(t, directory, files), { code: 'EIO' });
  const next = await start(t, directory);

  await next.stop();
  await checkCleanStore(t, directory);
});

test('every answer of the API stands under /api/v1 as well, and nothing of the backplane does', async (t) => {
  const service = await start(t);
  await service.reprice('a', '3.50');

  const both = await Promise.all(
    ['/api/product/a/price', '/api/v1/product/a/price'].map(async (path) =>
      (await fetch(service.url + path)).text(),
    ),
  );

  t.is(both[0], both[1]);
  for (const path of ['/metrics', '/healthz/ready', '/healthz/alive']) {
    t.is((await fetch(service.url + path)).status, 404);
  }
  await service.stop();
});

async function start(
  t: ExecutionContext,
  directory?: string,
  files = new FaultyFiles(),
  backplanePort = 0,
  moreFlags: readonly string[] = [],
) {
  const dataDir = directory ?? (await temporaryDirectory(t));
  const flags = ['--port', '0', '--backplane-port', String(backplanePort), '--free-bytes-min', '0'];
  const config = readConfig({}, ['--data-dir', dataDir, ...flags, ...moreFlags]);
  const failures: RepricerError[] = [];
  const log = createLog({ level: 'error', write: async () => {}, isTerminal: false });
  const service = await startService(config, {
    files,
    clock: new TestClock().read,
    log,
    onFailure: (error) => failures.push(error),
    onReloadAsked: () => {},
  });
  const url = `http://127.0.0.1:${service.port}`;
  return {
    directory: dataDir,
    files,
    failures,
    url,
    stop: () => service.stop(),
    reprice: (productId: string, price: string) =>
      fetch(`${url}/api/reprice`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ productId, price }),
      }),
    price: (productId: string) =>
      fetch(`${url}/api/product/${encodeURIComponent(productId)}/price`),
    readiness: () => readinessAt(service.backplanePort),
    until: (sample: string) => untilSample(service.backplanePort, sample),
    untilReady: async () => {
      while ((await readinessAt(service.backplanePort)).status !== 200);
    },
  };
}

/** A port that nothing listens on at the moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function readinessAt(port: number): Promise<{ status: number; reasons: readonly string[] }> {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz/ready`);
  const body = (await answer.json()) as { reasons?: readonly { reason: string }[] };
  return { status: answer.status, reasons: (body.reasons ?? []).map(({ reason }) => reason) };
}

/** Waits until a scrape shows the sample: what was sent has arrived by then. */
async function untilSample(port: number, sample: string): Promise<void> {
  for (;;) {
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    if (metrics.split('\n').includes(sample)) return;
  }
}
