import { once } from 'node:events';
import http from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { linkBytesMax } from '../../../src/http/read/page-links.ts';
import { type LedgerService, startLedgerService } from '../../support/ledger-service.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { pointersOf } from '../http-fixture.ts';

/* The pages of GET /api/query and the links between them, over HTTP, on files. */

/** Records are written to these in turn, so the product of a record follows from its seq. */
const products = ['p0', 'p1', 'p2'];

const filters = [
  { title: 'all products', query: 'pageSize=50', wanted: products },
  { title: 'one product', query: 'productId=p0&pageSize=15', wanted: ['p0'] },
  { title: 'two products', query: 'productId=p2&productId=p0&pageSize=30', wanted: ['p0', 'p2'] },
] as const;

for (const { title, query, wanted } of filters) {
  test(`whoever follows next, oldest first, sees each record of ${title} once while 10,000 are written`, async (t) => {
    const service = await start(t);
    await write(service, 1000);

    // More is written with each page than is on it, so only the end of the writing ends the pages.
    const seqs = await follow(service, `/api/query?${query}`, async () => {
      if (service.ledger.lastSeq < 11_000) await write(service, 100);
    });

    t.deepEqual(seqs, seqsOf(wanted, 11_000));
  });

  test(`whoever follows next, newest first, sees each record of ${title} that was there once while 10,000 are written`, async (t) => {
    const service = await start(t);
    await write(service, 1000);
    const { next, seqs: first } = await get(service, `/api/query?order=desc&${query}`);

    const seqs = await follow(service, next, async () => {
      if (service.ledger.lastSeq < 11_000) await write(service, 600);
    });

    t.true(service.ledger.lastSeq >= 11_000);
    t.deepEqual([...first, ...seqs], seqsOf(wanted, 1000).toReversed());
  });
}

test('pages lead to the end of the range, and back to its beginning', async (t) => {
  const service = await start(t);
  await write(service, 30);

  const first = await get(service, '/api/query?pageSize=10');
  const second = await get(service, first.next);
  const third = await get(service, second.next);
  const back = await get(service, third.prev);
  const begin = await get(service, back.prev);

  t.is(first.prev, undefined);
  t.deepEqual(third.seqs, range(21, 30));
  t.is(third.next, undefined);
  t.deepEqual(back.seqs, second.seqs);
  t.deepEqual(begin.seqs, first.seqs);
  t.is(begin.prev, undefined);
  t.deepEqual((await get(service, begin.next)).seqs, second.seqs);
});

test('moments before 1970 and long after now bound a query, and have the price of then', async (t) => {
  const service = await start(t);
  await write(service, 3);
  const priceAt = '/api/product/p0/price?at=';

  const all = await get(service, '/api/query?from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z');
  const none = await get(service, '/api/query?from=1900-01-01T00:00:00Z&to=1969-12-31T23:59:59Z');
  const before = await fetch(`${service.url}${priceAt}1900-01-01T00:00:00Z`);
  const after = await fetch(`${service.url}${priceAt}9999-12-31T23:59:59Z`);

  t.deepEqual([all.seqs, none.seqs], [[1, 2, 3], []]);
  t.like(await before.json(), { status: 404, type: '/problems/no-price-yet' });
  t.like(await after.json(), { seq: 1, validTo: null });
});

test('a page that was asked for by number leads to its neighbours too', async (t) => {
  const service = await start(t);
  await write(service, 30);

  const asc = await get(service, '/api/query?pageSize=10&pageNumber=2');
  const desc = await get(service, '/api/query?pageNumber=2&order=desc&pagesize=10');
  const last = await get(service, '/api/query?pageSize=10&pageNumber=3');
  const past = await get(service, '/api/query?pageSize=10&pageNumber=4');

  t.deepEqual((await get(service, asc.prev)).seqs, range(1, 10));
  t.deepEqual((await get(service, asc.next)).seqs, range(21, 30));
  t.deepEqual((await get(service, desc.prev)).seqs, range(21, 30).toReversed());
  t.deepEqual((await get(service, desc.next)).seqs, range(1, 10).toReversed());
  t.is(last.next, undefined);
  t.deepEqual([past.seqs, past.next, past.prev], [[], undefined, undefined]);
});

test('a link keeps the other parameters as they were sent, and the version of the API', async (t) => {
  const service = await start(t);
  for (const id of ['a&b="<>', 'c d'])
    for (let count = 0; count < 2; count += 1) await service.set(id, '1');

  const { next } = await get(
    service,
    '/api/v1/query?productId=a%26b=%22%3c%3E&&productId=c+d&%70ageNumber=1&from=1999-12-31T23:59:59%2B01:00&pageSize=1&to=2999-01-01T00:00:00Z',
  );

  t.regex(
    next ?? '',
    /^\/api\/v1\/query\?productId=a%26b=%22%3c%3E&productId=c\+d&from=1999-12-31T23:59:59%2B01:00&pageSize=1&to=2999-01-01T00:00:00Z&cursor=[\w-]{30}$/,
  );
  t.deepEqual(await follow(service, next), [2, 3, 4]);
});

test('characters that would end a link are escaped in it', async (t) => {
  const service = await start(t);
  for (let count = 0; count < 2; count += 1) await service.set('<a>,"\\^`{|}', '1');

  const answer = await ask(service, '/api/query?productId=<a>,"\\^`{|}&pageSize=1');

  t.regex(
    String(answer.headers['link']),
    /^<\/api\/query\?productId=%3Ca%3E,%22%5C%5E%60%7B%7C%7D&pageSize=1&cursor=[\w-]+>; rel="next"$/,
  );
  t.deepEqual(await follow(service, linksIn(String(answer.headers['link'])).get('next')), [2]);
});

test('a cursor that was changed, cut, or made for other filters is 400 and says so', async (t) => {
  const service = await start(t);
  await write(service, 30);
  const { next = '' } = await get(service, '/api/query?pageSize=1&productId=p0&productId=p1');
  const cursor = new URL(next, service.url).searchParams.get('cursor') ?? '';
  const filter = 'productId=p0&productId=p1';

  const refused = [
    `${filter}&cursor=`,
    `${filter}&cursor=${cursor.slice(1)}`,
    `${filter}&cursor=${cursor}%3D`,
    `${filter}&cursor=${cursor.replace(/^./, 'B')}`,
    `${filter}&cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`,
    `${filter}&order=desc&cursor=${cursor}`,
    `${filter}&from=1999-12-31T23:59:59Z&cursor=${cursor}`,
    `productId=p0&cursor=${cursor}`,
    `cursor=${cursor}`,
    `${filter}&cursor=${cursor}&cursor=${cursor}`,
  ];
  for (const query of refused) t.deepEqual(await refusedIn(service, query), ['#/cursor'], query);
  t.deepEqual(await refusedIn(service, `${filter}&cursor=${cursor}&pageNumber=1`), [
    '#/pageNumber',
  ]);

  const other = `/api/query?productId=p1&productId=p0&pageSize=3&cursor=${cursor}`;
  t.deepEqual((await get(service, other)).seqs, [2, 4, 5], 'the size of pages may change');
});

test('links to 50 long product ids can be followed, and prev is left out where both would be too long', async (t) => {
  const service = await start(t);
  const ids = Array.from({ length: 50 }, (_, index) => `${index}-${'ü'.repeat(20)}`);
  for (const id of ids) await service.set(id, '1');
  const query = ids.map((id) => `productId=${encodeURIComponent(id)}`).join('&');
  t.true(query.length > linkBytesMax * 0.9, `${query.length} bytes`);

  const first = await ask(service, `/api/query?pageSize=20&${query}`);
  const second = await ask(service, linksIn(String(first.headers['link'])).get('next') ?? '');

  const links = linksIn(String(second.headers['link']));
  t.deepEqual([...links.keys()], ['next']);
  const bytes = second.rawHeaders.reduce((total, text) => total + text.length + 2, 0);
  t.true(bytes < 8 * 1024, `${bytes} bytes of headers`);
  t.deepEqual(await follow(service, links.get('next')), range(41, 50));
});

test('a query that is too long for a link to its next page is refused, whether it has one or not', async (t) => {
  const service = await start(t);
  const query = (ids: number) =>
    range(1, ids)
      .map((id) => `productId=${String(id).padStart(239, 'x')}`)
      .join('&');

  const good = await ask(service, `/api/query?${query(28)}`);
  const long = await ask(service, `/api/query?${query(29)}`);

  t.is(good.statusCode, 200);
  t.is(long.statusCode, 400);
});

async function start(t: ExecutionContext): Promise<LedgerService> {
  return startLedgerService(t, await temporaryDirectory(t), { queueMax: 1000 });
}

/** Writes to the products in turn. */
async function write({ ledger, set }: LedgerService, count: number): Promise<void> {
  const seqs = range(ledger.lastSeq + 1, ledger.lastSeq + count);
  const batches = seqs.flatMap((_, at) => (at % 500 === 0 ? [seqs.slice(at, at + 500)] : []));
  for (const batch of batches) await Promise.all(batch.map((seq) => set(productOf(seq), '1.5')));
}

function productOf(seq: number): string {
  return products[(seq - 1) % products.length] ?? '';
}

function seqsOf(wanted: readonly string[], lastSeq: number): readonly number[] {
  return range(1, lastSeq).filter((seq) => wanted.includes(productOf(seq)));
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

interface Page {
  readonly seqs: readonly number[];
  readonly next: string | undefined;
  readonly prev: string | undefined;
}

/** A page by its link; `undefined` is a link that should have been there. */
async function get({ url }: LedgerService, link: string | undefined): Promise<Page> {
  if (link === undefined) throw new Error('there is no such link');
  const answer = await fetch(url + link);
  const body: unknown = await answer.json();
  if (!answer.ok) throw new Error(`${link}: ${JSON.stringify(body)}`);
  const links = linksIn(answer.headers.get('link') ?? '');
  const seqs = (body as readonly { readonly seq: number }[]).map(({ seq }) => seq);
  return { seqs, next: links.get('next'), prev: links.get('prev') };
}

/** The seqs on a page and on all that follow it; `meanwhile` runs beside each request. */
async function follow(
  service: LedgerService,
  link: string | undefined,
  meanwhile: () => Promise<void> = async () => {},
): Promise<readonly number[]> {
  const seqs: number[] = [];
  for (let next = link; next !== undefined; ) {
    const [page] = await Promise.all([get(service, next), meanwhile()]);
    seqs.push(...page.seqs);
    next = page.next;
  }
  return seqs;
}

function linksIn(header: string): ReadonlyMap<string, string> {
  const links = header.matchAll(/<([^<>"]*)>; rel="(\w+)"/g);
  return new Map([...links].map(([, target = '', rel = '']) => [rel, target]));
}

async function refusedIn({ url }: LedgerService, query: string) {
  const answer = await fetch(`${url}/api/query?${query}`);
  const text = await answer.text();
  return answer.status === 400 ? pointersOf({ text }) : undefined;
}

/** One request that sends its path as it is, which `fetch` does not. */
async function ask({ port }: LedgerService, path: string): Promise<http.IncomingMessage> {
  const request = http.request({ port, path, agent: false }).end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  return response;
}
