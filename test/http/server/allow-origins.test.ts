import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { startBrowser } from '../../support/browser.ts';
import { startLedgerService } from '../../support/ledger-service.ts';
import { lackOf } from '../../support/needs.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { testUnless } from '../../support/test-unless.ts';
import { bearer, ChangingTokens, entry } from '../../support/tokens.ts';
import { ask } from '../http-fixture.ts';

/* What pages of other origins may do in a browser. */

const testInBrowser = testUnless(lackOf('chromium'));

const ours = 'https://prices.example';
const preflight = {
  method: 'OPTIONS',
  headers: {
    origin: ours,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type',
  },
};

async function start(t: ExecutionContext, origins: readonly string[]) {
  const clients = new ChangingTokens(entry('crawler', ['reprice', 'read']));
  return startLedgerService(t, await temporaryDirectory(t), { clients, origins });
}

test('what a browser asks beforehand is answered without a token, for pages of the origins named alone', async (t) => {
  const service = await start(t, ['https://other.example', ours]);

  const allowed = await ask(service, '/api/reprice', preflight);
  const refused = await ask(service, '/api/reprice', {
    ...preflight,
    headers: { ...preflight.headers, origin: 'https://prices.example.evil.example' },
  });

  t.is(allowed.status, 204);
  t.is(allowed.headers['access-control-allow-origin'], ours);
  t.is(allowed.headers['access-control-allow-methods'], 'GET,HEAD,POST');
  t.regex(allowed.headers['access-control-allow-headers'] ?? '', /Authorization,.*Idempotency-Key/);
  t.is(allowed.headers['access-control-max-age'], '600');
  t.is(allowed.headers['access-control-allow-credentials'], undefined);
  t.is(refused.headers['access-control-allow-origin'], undefined);
  t.is(refused.headers['access-control-allow-methods'], undefined);
});

test('pages of an allowed origin may read answers and refusals, and caches keep those apart', async (t) => {
  const service = await start(t, [ours]);
  await service.set('foo', '1.50');
  const asked = (headers: Record<string, string>) =>
    ask(service, '/api/product/foo/price', { headers });

  const read = await asked({ ...bearer('crawler'), origin: ours });
  const refused = await asked({ origin: ours });
  const foreign = await asked({ ...bearer('crawler'), origin: 'null' });

  for (const { headers } of [read, refused]) {
    t.is(headers['access-control-allow-origin'], ours);
    t.regex(headers['access-control-expose-headers'] ?? '', /ETag,.*Repricer-Seq,Retry-After/);
    t.is(headers['vary'], 'Origin');
  }
  t.deepEqual([read.status, refused.status], [200, 401]);
  t.is(foreign.headers['access-control-allow-origin'], undefined);
});

test('with * pages of all origins may, and without any origin nobody is told anything', async (t) => {
  const open = await ask(await start(t, ['*']), '/api/query', preflight);
  const closed = await ask(await start(t, []), '/api/query', preflight);

  t.is(open.headers['access-control-allow-origin'], '*');
  t.is(closed.status, 401);
  t.deepEqual(
    Object.keys(closed.headers).filter((name) => /^access-control|^vary$/.test(name)),
    [],
  );
});

testInBrowser(
  'a page of an allowed origin reprices from a browser, and one of another cannot',
  async (t) => {
    const [page, stranger] = [await servePage(t), await servePage(t)];
    const service = await start(t, [page]);
    const browser = await startBrowser(t);
    const repriceFrom = async (origin: string) => {
      const tab = await browser.newPage();
      await tab.goto(origin);
      return tab.evaluate(reprice, { url: `${service.url}/api/reprice`, ...bearer('crawler') });
    };

    const good = await repriceFrom(page);
    const bad = await repriceFrom(stranger);

    t.deepEqual(good, { status: 202, seq: '1', etag: '"1"' });
    t.is(bad, 'TypeError');
    t.is(service.ledger.lastSeq, 1);
  },
);

/** Runs in the page. */
async function reprice({ url, authorization }: { url: string; authorization: string }) {
  try {
    const { status, headers } = await fetch(url, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: '{"productId":"foo","price":1.5}',
    });
    return { status, seq: headers.get('repricer-seq'), etag: headers.get('etag') };
  } catch (error) {
    return error instanceof Error ? error.name : 'unknown';
  }
}

/** The origin of an empty page. */
async function servePage(t: ExecutionContext): Promise<string> {
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>page</title>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
