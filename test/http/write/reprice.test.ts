import test, { type ExecutionContext } from 'ava';
import { type LedgerService, startLedgerService } from '../../support/ledger-service.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('If-Match is held against the version at the moment of the write', async (t) => {
  const service = await start(t);
  await reprice(service, good);

  const answers = [];
  for (const ifMatch of ['"1"', '"7", "2"', '*', '"1"', 'W/"4"', '"x"']) {
    answers.push((await reprice(service, good, { 'if-match': ifMatch })).status);
  }

  t.deepEqual(answers, [202, 202, 202, 412, 412, 412]);
});

test('of fifty clients that compare and set one product, exactly one wins each round', async (t) => {
  const service = await start(t);
  await reprice(service, good);

  for (let version = 1; version <= 10; version += 1) {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, client) =>
        reprice(service, `{"productId":"foo","price":${version}.${client + 1}}`, {
          'if-match': `"${version}"`,
        }),
      ),
    );

    const statuses = answers.map(({ status }) => status).toSorted();
    t.deepEqual(statuses, [202, ...Array<number>(49).fill(412)]);
  }
});

test('If-Match that is no list of entity tags is refused', async (t) => {
  const service = await start(t);

  for (const ifMatch of ['1', '"1', '"1" "2"', '*, "1"', ',', '']) {
    const { status, body } = await reprice(service, good, { 'if-match': ifMatch });
    t.is(status, 400, ifMatch);
    t.regex(body, /"pointer":"#\/If-Match","detail":"must be \* or a list of entity tags/);
  }
  const none = await reprice(service, good, { 'if-none-match': '' });
  t.is(none.status, 400);
  t.regex(none.body, /"pointer":"#\/If-None-Match"/);
});

test('expectedPreviousPrice that does not hold is answered with the current price, digit by digit', async (t) => {
  const service = await start(t);
  const expecting = (price: string) =>
    `{"productId":"foo","price":4.00,"expectedPreviousPrice":${price}}`;

  const first = await reprice(service, expecting('3.50'));
  const whenNone = await reprice(service, expecting('null'));
  const other = await reprice(service, expecting('"3.9"'));
  const same = await reprice(service, expecting('4'));
  const bad = await reprice(service, expecting('-1'));

  t.is(first.status, 409);
  t.regex(first.body, /"type":"\/problems\/price-conflict".*,"currentPrice":null,"version":0}$/);
  t.is(whenNone.status, 202);
  t.is(other.status, 409);
  t.regex(other.body, /,"currentPrice":4\.00,"version":1}$/);
  t.is(same.headers.get('etag'), '"2"');
  t.is(bad.status, 400);
  t.regex(
    bad.body,
    /"pointer":"#\/expectedPreviousPrice","detail":"must be greater than 0, or null/,
  );
});

test('a key answers the same request with its first answer, and says so', async (t) => {
  const service = await start(t);
  const key = { 'idempotency-key': '~!"\\order-7' };

  const first = await reprice(service, good, key);
  await reprice(service, '{"productId":"foo","price":9}');
  const again = await reprice(service, ` ${good} `, { ...key, prefer: 'return=representation' });
  const other = await reprice(service, '{"productId":"foo","price":9}', key);

  t.is(first.headers.get('idempotent-replayed'), null);
  t.is(again.status, 202);
  t.is(again.headers.get('idempotent-replayed'), 'true');
  for (const name of ['repricer-seq', 'etag', 'location']) {
    t.is(again.headers.get(name), first.headers.get(name));
  }
  t.regex(again.body, /"idempotencyKey":"~!\\"\\\\order-7","unchanged":false,"file":/);
  t.is(other.status, 422);
  t.regex(other.body, /"type":"\/problems\/idempotency-key-reused".*another price/);
  t.is(service.ledger.lastSeq, 2);
});

test('a key that breaks its rule is refused', async (t) => {
  const service = await start(t);

  for (const key of ['', 'a b', 'é', 'x'.repeat(256)]) {
    const { status, body } = await reprice(service, good, { 'idempotency-key': key });
    t.is(status, 400, key);
    t.regex(body, /must be 1 to 255 visible ASCII characters/);
  }
  const longest = await reprice(service, good, { 'idempotency-key': 'x'.repeat(255) });
  t.is(longest.status, 202);
});

test('of requests with one key at the same time one is recorded, and the others are told to come again', async (t) => {
  const service = await start(t);

  const answers = await Promise.all(
    Array.from({ length: 20 }, () => reprice(service, good, { 'idempotency-key': 'k' })),
  );

  for (const { status, headers } of answers) {
    if (status === 409) t.is(headers.get('retry-after'), '1');
    else t.is(status, 202);
  }
  t.is(service.ledger.lastSeq, 1);
});

test('a dry run answers 200 with what would be recorded, and records nothing', async (t) => {
  const service = await start(t);
  await reprice(service, '{"productId":"foo","price":3.50}');

  const { status, body, headers } = await reprice(
    service,
    '{"productId":"foo","price":3.500,"source":"me"}',
    { 'idempotency-key': 'k' },
    '?dryRun=true',
  );

  t.is(status, 200);
  t.is(headers.get('repricer-seq'), null);
  t.is(
    body,
    '{"productId":"foo","version":2,"previousPrice":3.50,"newPrice":3.500,"source":"me",' +
      '"idempotencyKey":"k","unchanged":true,"dryRun":true}',
  );
  t.is(service.ledger.lastSeq, 1);
});

test('a price that is to be recorded only when it changes is answered 200 when it does not', async (t) => {
  const service = await start(t);
  const asked = () => reprice(service, '{"productId":"foo","price":3.50}', {}, '?ifChanged=true');

  const first = await asked();
  const again = await asked();

  t.is(first.status, 202);
  t.is(again.status, 200);
  t.is(again.headers.get('etag'), '"1"');
  t.is(again.body, '{"productId":"foo","version":1,"price":3.50,"unchanged":true}');
  t.is(service.ledger.lastSeq, 1);
});

test('a truth that is neither true nor false is refused with its pointer', async (t) => {
  const service = await start(t);

  const { status, body } = await reprice(service, good, {}, '?dryRun=yes&ifChanged=constructor');

  t.is(status, 400);
  t.regex(body, /#\/dryRun","detail":"must be true or false"}.*#\/ifChanged/);
});

const good = '{"productId":"foo","price":3.55}';

async function start(t: ExecutionContext): Promise<LedgerService> {
  return startLedgerService(t, await temporaryDirectory(t));
}

async function reprice(
  { url }: LedgerService,
  body: string,
  headers: Record<string, string> = {},
  query = '',
): Promise<{ status: number; headers: Headers; body: string }> {
  const response = await fetch(`${url}/api/v1/reprice${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  return { status: response.status, headers: response.headers, body: await response.text() };
}
