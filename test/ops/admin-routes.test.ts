import test, { type ExecutionContext } from 'ava';
import type { Clients } from '../../src/access/client.ts';
import { RepricerError } from '../../src/errors.ts';
import type { Admin } from '../../src/ops/admin-routes.ts';
import { Health } from '../../src/ops/health.ts';
import { Metrics } from '../../src/ops/metrics.ts';
import { Profiler } from '../../src/ops/profiler.ts';
import { decodeSnapshot, type Snapshot } from '../../src/storage/snapshot.ts';
import { bearer, ChangingTokens, entry } from '../support/tokens.ts';
import { createRecordingLog } from './recording-log.ts';
import { unknownReadings } from './samples.ts';
import { startBackplane } from './start-backplane.ts';

const snapshot: Snapshot = { seq: 7, timestamp: '2026-11-21T12:00:00.000001Z', files: [] };

/** A ledger that does whatever it is asked. */
class WillingAdmin implements Admin {
  readonly lastSeq = 7;
  isReadOnly = false;
  seal = async () => 6;
  flush = async () => 5;
  snapshot = async () => snapshot;

  async setReadOnly(isReadOnly: boolean): Promise<void> {
    this.isReadOnly = isReadOnly;
  }
}

async function setup(t: ExecutionContext, admin?: () => Admin | undefined, clients?: Clients) {
  const health = new Health();
  const log = createRecordingLog();
  const metrics = new Metrics(() => unknownReadings);
  const profiler = new Profiler();
  const port = await startBackplane(t, { health, metrics, log, clients, profiler, admin });
  const ask = (method: string, path: string, headers = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { method, headers });
  return { health, log, ask };
}

test('without --admin there is no /admin', async (t) => {
  const { ask } = await setup(t);

  for (const path of ['seal', 'flush', 'snapshot', 'read-only']) {
    t.is((await ask('POST', `/admin/${path}`)).status, 404, path);
  }
});

test('each action is answered with how far it came, and logged', async (t) => {
  const { ask, log } = await setup(t, () => new WillingAdmin());

  const seal = await ask('POST', '/admin/seal');
  const flush = await ask('POST', '/admin/flush');

  t.is(seal.headers.get('content-type'), 'application/json; charset=utf-8');
  t.is(seal.headers.get('cache-control'), 'no-store');
  t.deepEqual(await seal.json(), { sealedSeq: 6 });
  t.deepEqual(await flush.json(), { checkpointSeq: 5 });
  t.like(log.lines[0], {
    message: 'admin',
    fields: { method: 'POST', path: '/admin/seal', status: 200, address: '127.0.0.1' },
  });
});

test('a snapshot is answered as JSON that carries its checksum', async (t) => {
  const { ask } = await setup(t, () => new WillingAdmin());

  const text = await (await ask('POST', '/admin/snapshot')).text();

  t.like(JSON.parse(text), snapshot);
  t.deepEqual(decodeSnapshot(Buffer.from(text)), snapshot);
});

test('read-only is switched on by PUT and off by DELETE, and readiness tells', async (t) => {
  const { ask, health } = await setup(
    t,
    (
      (admin) => () =>
        admin
    )(new WillingAdmin()),
  );

  const on = await ask('PUT', '/admin/read-only');
  const reasons = health.reasons;
  const shown = await ask('GET', '/admin/read-only');
  const off = await ask('DELETE', '/admin/read-only');

  t.deepEqual(await on.json(), { readOnly: true, seq: 7 });
  t.like(reasons, [{ reason: 'read-only' }]);
  t.deepEqual(await shown.json(), { readOnly: true, seq: 7 });
  t.deepEqual(await off.json(), { readOnly: false, seq: 7 });
  t.true(health.isReady);
});

test('while the service recovers every action is refused with 503', async (t) => {
  const { ask } = await setup(t, () => undefined);

  const response = await ask('POST', '/admin/seal');

  t.is(response.status, 503);
  t.like(await response.json(), { detail: 'The service is still recovering.' });
});

test('an action that fails is a 503 problem with the reason', async (t) => {
  const admin = new WillingAdmin();
  admin.flush = async () => {
    throw new RepricerError('PRODUCT_FILE_DAMAGED', 'foo.ndjson is damaged');
  };
  const { ask, log } = await setup(t, () => admin);

  const response = await ask('POST', '/admin/flush');

  t.is(response.status, 503);
  t.is(response.headers.get('content-type'), 'application/problem+json');
  t.like(await response.json(), { detail: 'foo.ndjson is damaged' });
  t.like(log.lines.at(-1), { fields: { status: 503, error: { code: 'PRODUCT_FILE_DAMAGED' } } });
});

test('another method is a 405 that names the allowed ones', async (t) => {
  const { ask } = await setup(t, () => new WillingAdmin());

  t.is((await ask('GET', '/admin/seal')).headers.get('allow'), 'POST');
  const response = await ask('POST', '/admin/read-only');
  t.is(response.status, 405);
  t.is(response.headers.get('allow'), 'GET, PUT, DELETE');
});

test('a page in a browser may do nothing', async (t) => {
  const admin = new WillingAdmin();
  const { ask } = await setup(t, () => admin);

  const response = await ask('PUT', '/admin/read-only', { origin: 'http://evil.example' });

  t.is(response.status, 403);
  t.false(admin.isReadOnly);
});

test('where there are tokens, /admin and profiles need one with the scope admin, and the log says whose', async (t) => {
  const admin = new WillingAdmin();
  const clients = new ChangingTokens(
    entry('operator', ['admin']),
    entry('crawler', ['read', 'reprice']),
    entry('shoes', ['admin'], 'shoes/'),
  );
  const { ask, log } = await setup(t, () => admin, clients);
  const statusesOf = async (headers: Record<string, string>) => [
    (await ask('PUT', '/admin/read-only', headers)).status,
    (await ask('GET', '/admin/read-only', headers)).status,
    (await ask('POST', '/profile/cpu?seconds=x', headers)).status,
  ];

  const without = await ask('POST', '/admin/snapshot');
  t.deepEqual(await statusesOf({}), [401, 401, 401]);
  t.deepEqual(await statusesOf(bearer('nobody')), [401, 401, 401]);
  t.deepEqual(await statusesOf(bearer('crawler')), [403, 403, 403]);
  t.deepEqual(await statusesOf(bearer('shoes')), [403, 403, 403]);
  t.false(admin.isReadOnly);
  t.deepEqual(await statusesOf(bearer('operator')), [200, 200, 400]);

  t.is(without.headers.get('www-authenticate'), 'Bearer realm="repricer"');
  t.is((await ask('GET', '/metrics')).status, 200);
  t.deepEqual(
    log.lines.map(({ fields }) => [fields?.['actor'], fields?.['status']]),
    [
      [undefined, 401],
      [undefined, 401],
      [undefined, 401],
      ['crawler', 403],
      ['shoes', 403],
      ['operator', 200],
    ],
  );
});
