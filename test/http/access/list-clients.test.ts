import { once } from 'node:events';
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { CountedClients } from '../../../src/access/client-statistics.ts';
import { startLedgerService } from '../../support/ledger-service.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { bearer, ChangingTokens, entry, tokenOf } from '../../support/tokens.ts';
import { ask } from '../http-fixture.ts';

/* What operators see of what clients asked for and got. */

async function start(t: ExecutionContext) {
  const clients = new ChangingTokens(
    entry('crawler', ['reprice', 'read']),
    entry('operator', ['admin']),
  );
  const service = await startLedgerService(t, await temporaryDirectory(t), { clients });
  const post = (path: string, type: string, body: string, headers = {}) =>
    ask(service, path, {
      method: 'POST',
      headers: { ...bearer('crawler'), 'content-type': `application/${type}`, ...headers },
      body,
    });
  const counted = async () => {
    const { text } = await ask(service, '/api/clients', { headers: bearer('operator') });
    return JSON.parse(text) as CountedClients;
  };
  const countedOf = async (name: string | null) =>
    (await counted()).clients.find((client) => client.name === name);
  return { service, post, counted, countedOf };
}

test('every reprice is accepted once or refused with its code, alone and in a batch', async (t) => {
  const { service, post, countedOf } = await start(t);
  const foo = '{"productId":"foo","price":1}';
  const batch = `${foo}\nnonsense\n{"productId":"foo","price":2,"expectedPreviousPrice":9}\n`;

  await post('/api/reprice', 'json', foo, { 'idempotency-key': 'a' });
  await post('/api/reprice', 'json', foo, { 'idempotency-key': 'a' });
  await post('/api/reprice?dryRun=true', 'json', foo);
  await post('/api/reprice', 'json', '{}');
  await post('/api/reprice/batch', 'x-ndjson', batch);
  await post('/api/reprice/batch?atomic=true', 'x-ndjson', batch);
  await post('/api/reprice/batch', 'csv', batch);

  t.like(await countedOf('crawler'), {
    requests: 7,
    accepted: service.ledger.lastSeq,
    read: 0,
    refused: {
      BAD_REQUEST: 3,
      PRICE_CONFLICT: 1,
      FAILED_DEPENDENCY: 2,
      UNSUPPORTED_MEDIA_TYPE: 1,
    },
  });
  t.is(service.ledger.lastSeq, 2);
});

test('what was read and what was not let in is counted for whom it was', async (t) => {
  const { service, post, countedOf } = await start(t);
  await post('/api/reprice', 'json', '{"productId":"foo","price":1}');

  await ask(service, '/api/product/foo/price', { headers: bearer('crawler') });
  await ask(service, '/api/query', { headers: { ...bearer('crawler'), accept: 'text/csv' } });
  await ask(service, '/api/product/none/price', { headers: bearer('crawler') });
  await ask(service, '/api/clients', { headers: bearer('crawler') });
  await ask(service, '/api/query', { headers: bearer('nobody') });

  t.like(await countedOf('crawler'), {
    requests: 5,
    read: 2,
    refused: { UNKNOWN_PRODUCT: 1, SCOPE_MISSING: 1 },
  });
  t.like(await countedOf(null), { requests: 1, read: 0, refused: { UNAUTHENTICATED: 1 } });
});

test('bytes are those that came and went on the wire, and the last moment is that of the request', async (t) => {
  const { service, countedOf } = await start(t);
  const request =
    `GET /api/query HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Token: ${tokenOf('crawler')}\r\n` +
    'Connection: close\r\n\r\n';
  const socket = connect(service.port, '127.0.0.1');
  const beforeMs = Date.now();

  socket.write(request);
  socket.resume();
  await once(socket, 'close');

  const { receivedBytes, sentBytes, lastSeen = '' } = (await countedOf('crawler')) ?? {};
  t.is(receivedBytes, request.length);
  t.is(sentBytes, socket.bytesRead);
  t.true(Date.parse(lastSeen) >= beforeMs);
});
