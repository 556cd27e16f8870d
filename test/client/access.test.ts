import test from 'ava';
import { RepricerClient } from 'repricer/client';
import { bearer, ChangingTokens, entry, tokenOf } from '../support/tokens.ts';
import { collect, connectClient, problemOf, taken } from './client-fixture.ts';

test('every call of a client with a token brings it', async (t) => {
  const clients = new ChangingTokens(entry('crawler', ['read', 'reprice']));
  const { client, service, proxy, end } = await connectClient(t, {
    clients,
    token: tokenOf('crawler'),
  });
  const day = { from: '2026-11-21T00:00:00Z', to: '2026-11-22T00:00:00Z', interval: '1d' };
  const lines = [{ productId: 'foo', price: '1.0' }];

  const receipt = await client.reprice('foo', '3.50');
  await collect(client.repriceBatch(lines));
  await collect(client.repriceBatch(lines, { atomic: true }));
  await client.price('foo');
  await client.priceAt('foo', '2100-11-21T00:00:00Z');
  await client.history('foo', day);
  const { actor } = await client.record(3);
  await collect(client.query());
  await collect(client.products());
  await client.prices(['foo']);
  await taken(client.stream({ after: 0 }), 3);

  t.is(receipt.actor, 'crawler');
  t.is(actor, 'crawler');
  t.is(proxy.requests.length, 11);
  t.true(service.log.lines.every(({ fields }) => fields['actor'] === 'crawler'));
  await end();
});

test('a token that is missing, unknown, or for something else is a problem, told once', async (t) => {
  const clients = new ChangingTokens(entry('reader', ['read'], 'shoes/'));
  const { proxy, end } = await connectClient(t, { clients });
  const client = (token?: string) => new RepricerClient(proxy.url, { token });

  const problems = [
    await problemOf(t, client().price('shoes/1')),
    await problemOf(t, client(tokenOf('nobody')).price('shoes/1')),
    await problemOf(t, client(tokenOf('reader')).reprice('shoes/1', '1.0')),
    await problemOf(t, client(tokenOf('reader')).price('hats/1')),
    await problemOf(t, taken(client(tokenOf('reader')).stream(), 1)),
  ];

  t.deepEqual(
    problems.map(({ status, type }) => `${status} ${type}`),
    [
      '401 /problems/unauthenticated',
      '401 /problems/unauthenticated',
      '403 /problems/scope-missing',
      '403 /problems/outside-prefix',
      '403 /problems/outside-prefix',
    ],
  );
  t.is(proxy.requests.length, 5);
  await end();
});

test('a client whose token is withdrawn while it follows the feed is told so', async (t) => {
  const clients = new ChangingTokens(entry('reader', ['read']), entry('writer', ['reprice']));
  const { client, service, end } = await connectClient(t, { clients, token: tokenOf('reader') });
  const body = '{"productId":"foo","price":1}';
  const headers = { 'Content-Type': 'application/json', ...bearer('writer') };
  await fetch(`${service.url}/api/reprice`, { method: 'POST', headers, body });
  const records = client.stream({ after: 0 });
  await records.next();

  clients.become(entry('writer', ['reprice']));
  service.feed.endForbidden();

  t.is((await problemOf(t, records.next())).status, 401);
  await end();
});

test('clients that ask more often than they may wait as long as they are told, and all get through', async (t) => {
  const clients = new ChangingTokens(entry('crawler', ['reprice']));
  const limits = { clientRate: 5, clientBurst: 2 };
  const { client, service, end } = await connectClient(t, {
    ...{ clients, limits, token: tokenOf('crawler') },
    retry: { attemptsMax: 100 },
  });
  const startedMs = performance.now();

  const receipts = await Promise.all(
    Array.from({ length: 8 }, (_, index) => client.reprice(`p${index}`, '1.0')),
  );
  const results = await collect(
    client.repriceBatch([
      { productId: 'foo', price: '1.0' },
      { productId: 'foo', price: '2.0' },
    ]),
  );

  const seconds = (performance.now() - startedMs) / 1000;
  const refused = service.log.lines.filter(({ fields }) => fields['status'] === 429).length;
  t.deepEqual(
    receipts.map(({ replayed }) => replayed),
    receipts.map(() => false),
  );
  t.deepEqual(
    results.map(({ kind }) => kind),
    ['recorded', 'recorded'],
  );
  t.true(seconds > (8 + 1 + 2 - 2) / 5, `${seconds} s`);
  // Whoever is refused waits a second at least.
  t.true(refused > 0 && refused <= 9 * (seconds + 1), `${refused} in ${seconds} s`);
  await end();
});

test('a token that no header can have is refused at once, and not repeated', (t) => {
  for (const token of ['', 'rp_ab cd', 'rp_abcd\n', 'rp_é']) {
    const error = t.throws(() => new RepricerClient('http://localhost:1', { token }), {
      instanceOf: TypeError,
    });
    t.is(error.message, 'a token has visible ASCII characters only');
  }
});
