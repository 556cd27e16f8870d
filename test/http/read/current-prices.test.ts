import test, { type ExecutionContext } from 'ava';
import { readsInParallelMax } from '../../../src/ledger/price-reads.ts';
import { FaultyFiles } from '../../support/faulty-files.ts';
import { openLedger } from '../../support/ledger.ts';
import { checkCleanStore, RecordedEvents } from '../../support/store.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { type Answer, ask, pointersOf, type Service, serve } from '../http-fixture.ts';

/* The last prices of many products through HTTP, on a ledger with real files that a test holds. */

const productFiles = /results_by_product\/..\//;

/** Never over before a test that does not wait for it. */
const longMs = 10_000;

/** How much later an answer may be on a machine that is busy; `PriceReads` is tested to the millisecond. */
const toleranceMs = 1000;

for (const base of ['/api', '/api/v1']) {
  test(`${base}/products/prices gives prices as reads show them, in the order asked for, and names the missing`, async (t) => {
    const service = await start(t, ['a', 'b', 'c']);
    await service.set('in-memory', '9.50');

    const answer = await askPrices(service, ['c', 'nobody', 'in-memory', 'a', 'b'], longMs, base);
    const alone = await Promise.all(
      ['c', 'in-memory', 'a', 'b'].map((id) => ask(service, `${base}/product/${id}/price`)),
    );

    t.is(answer.status, 200);
    t.is(
      answer.text,
      `{"prices":[${alone.map(({ text }) => text).join(',')}],"missing":["nobody"],"pending":[]}`,
    );
    t.is(answer.headers['content-type'], 'application/json; charset=utf-8');
    t.is(answer.headers['cache-control'], 'no-store');
    await service.end();
  });
}

test('a product that is named twice is answered once, where it stands first', async (t) => {
  const service = await start(t, ['a', 'b']);

  const answer = await askPrices(service, ['b', 'x', 'a', 'b', 'x'], longMs);

  t.deepEqual(listIn(answer), { prices: ['b', 'a'], missing: ['x'], pending: [] });
  await service.end();
});

test.serial('while the disk hangs the answer comes in time, with what is in memory', async (t) => {
  const service = await start(t, ['a', 'b']);
  await service.set('in-memory', '9.50');
  const hold = service.files.hold('open', productFiles);

  for (const waitMs of [200, 0, undefined]) {
    const startedMs = performance.now();
    const answer = await askPrices(service, ['b', 'in-memory', 'a', 'nobody'], waitMs);
    const tookMs = performance.now() - startedMs;

    t.deepEqual(listIn(answer), {
      prices: ['in-memory'],
      missing: [],
      pending: ['b', 'a', 'nobody'],
    });
    t.true(tookMs >= (waitMs ?? 45) - 1, `${tookMs} ms`);
    t.true(tookMs < (waitMs ?? 45) + toleranceMs, `${tookMs} ms`);
  }
  hold.release();
  t.deepEqual(listIn(await askPrices(service, ['a', 'b'], longMs)).prices, ['a', 'b']);
  await service.end();
});

test('a record that waits for its file is in memory, also when its product was not used lately', async (t) => {
  const service = await start(t, ['a']);
  const hold = service.files.hold('write', productFiles);
  for (const id of ['waiting', 'later']) await service.set(id, '9.50');

  const answer = await askPrices(service, ['waiting'], 0);

  hold.release();
  t.deepEqual(listIn(answer), { prices: ['waiting'], missing: [], pending: [] });
  await service.end();
});

test('what a slow disk gives in time is told, and the rest is pending', async (t) => {
  const service = await start(t, ['a', 'b', 'c']);
  const hold = service.files.hold('open', /\/b\.ndjson$/);

  const answer = await askPrices(service, ['a', 'b', 'c', 'nobody'], 1000);

  hold.release();
  t.deepEqual(listIn(answer), { prices: ['a', 'c'], missing: ['nobody'], pending: ['b'] });
  await service.end();
});

test('an answer that is complete does not wait for the deadline', async (t) => {
  const service = await start(t, ['a', 'b']);
  const startedMs = performance.now();

  await askPrices(service, ['a', 'b'], longMs);

  t.true(performance.now() - startedMs < longMs / 2);
  await service.end();
});

test('of many requests only so many reads run at a time, and none begins that nobody waits for', async (t) => {
  const ids = Array.from({ length: 30 }, (_, index) => `p${index}`);
  const service = await start(t, ids);
  const before = service.files.calls('open', productFiles).length;
  const hold = service.files.hold('open', productFiles);

  const answers = await Promise.all([0, 1, 2, 3].map(() => askPrices(service, ids, 100)));
  const hanging = service.files.calls('open', productFiles).length - before;
  hold.release();
  const later = await askPrices(service, ids.slice(0, 2), longMs);

  t.deepEqual(
    answers.map((answer) => listIn(answer).pending),
    answers.map(() => ids),
  );
  t.is(hanging, readsInParallelMax);
  t.deepEqual(listIn(later).prices, ids.slice(0, 2));
  t.true(service.files.calls('open', productFiles).length - before <= hanging + 2);
  await service.end();
});

for (const [operation, errno] of [
  ['open', 'EMFILE'],
  ['read', 'EIO'],
] as const) {
  test(`a product whose file meets ${errno} at ${operation} is pending, and the others are told`, async (t) => {
    const service = await start(t, ['a', 'b']);
    const fault = service.files.fail(operation, /\/a\.ndjson$/, errno);

    const answer = await askPrices(service, ['a', 'b'], longMs);

    fault.stop();
    t.deepEqual(listIn(answer), { prices: ['b'], missing: [], pending: ['a'] });
    await service.end();
  });
}

test('1000 ids of 256 characters fit, and one more byte than the limit is 413', async (t) => {
  const service = await start(t, []);
  const ids = Array.from({ length: 1000 }, (_, index) => '💶'.repeat(252) + (1000 + index));

  const answer = await askPrices(service, ids, longMs);
  const tooLarge = await askPrices(service, ['a'.repeat(1_100_000)], 0);

  t.is(answer.status, 200);
  t.deepEqual(listIn(answer).missing, ids);
  t.is(tooLarge.status, 413);
  await service.end();
});

test('bad requests are refused with the pointer of each rule', async (t) => {
  const service = await start(t, []);
  const many = JSON.stringify(Array.from({ length: 1001 }, (_, index) => `p${index}`));

  const bad: readonly (readonly [string, readonly string[]])[] = [
    ['{}', ['#/productIds']],
    ['[]', ['#']],
    ['{"productIds":[]}', ['#/productIds']],
    ['{"productIds":"a"}', ['#/productIds']],
    [`{"productIds":${many}}`, ['#/productIds']],
    ['{"productIds":["a","",1,"."]}', ['#/productIds/1', '#/productIds/2', '#/productIds/3']],
    ['{"productIds":["a"],"waitMs":-1}', ['#/waitMs']],
    ['{"productIds":["a"],"waitMs":10001}', ['#/waitMs']],
    ['{"productIds":["a"],"waitMs":1.5}', ['#/waitMs']],
    ['{"productIds":["a"],"waitMs":"45"}', ['#/waitMs']],
    ['{"productIds":["a"],"waitMs":null}', ['#/waitMs']],
    ['{"productIds":["a"],"wait":45}', ['#/wait']],
  ];
  for (const [body, pointers] of bad) {
    const answer = await post(service, body);

    t.is(answer.status, 400, body);
    t.deepEqual(pointersOf(answer), pointers, body);
  }
  t.is((await post(service, '{"productIds":["a"]}', '/api/products/prices?waitMs=1')).status, 400);
  t.is((await ask(service, '/api/products/prices')).status, 405);
  await service.end();
});

test('requests are counted with a limit of their own', async (t) => {
  const service = await start(t, ['a'], { readsMax: 1 });
  const hold = service.files.hold('open', productFiles);

  const answering = askPrices(service, ['a'], longMs);
  await hold.reached();
  const refused = await askPrices(service, ['a'], longMs);
  const other = await ask(service, '/api/query');
  hold.release();

  t.is(refused.status, 503);
  t.is(refused.headers['retry-after'], '1');
  t.is(other.status, 200);
  t.is((await answering).status, 200);
  await service.end();
});

/** A service with these products in files, and not in memory. */
async function start(
  t: ExecutionContext,
  products: readonly string[],
  { readsMax = 50 }: { readonly readsMax?: number } = {},
) {
  const directory = await temporaryDirectory(t);
  const files = new FaultyFiles();
  const events = new RecordedEvents();
  const options = { files, events, lastPricesMax: 1, queueMax: 1000 };
  const { ledger, set } = await openLedger(directory, options);
  for (const [index, id] of [...products, 'last used'].entries()) await set(id, `${index + 1}.50`);
  await events.until('aggregated', products.length + 1);
  const service = await serve(t, ledger, { readsMax });
  const end = async () => {
    await ledger.close();
    await checkCleanStore(t, directory);
  };
  return { ...service, files, set, end };
}

function askPrices(
  service: Pick<Service, 'port'>,
  productIds: readonly string[],
  waitMs: number | undefined,
  base = '/api',
): Promise<Answer> {
  return post(service, JSON.stringify({ productIds, waitMs }), `${base}/products/prices`);
}

function post(
  service: Pick<Service, 'port'>,
  body: string,
  path = '/api/products/prices',
): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  return ask(service, path, { method: 'POST', headers, body });
}

/** The ids in each list of an answer. */
function listIn(answer: Answer) {
  const { prices, missing, pending } = JSON.parse(answer.text) as {
    readonly prices: readonly { readonly productId: string }[];
    readonly missing: readonly string[];
    readonly pending: readonly string[];
  };
  return { prices: prices.map(({ productId }) => productId), missing, pending };
}
