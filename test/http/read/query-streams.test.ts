import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import test, { type ExecutionContext } from 'ava';
import type { PriceRecord } from '../../../src/model/price-record.ts';
import { formatTimestamp } from '../../../src/model/timestamp.ts';
import { closedDirectory } from '../../support/data-directory.ts';
import { FaultyFiles } from '../../support/faulty-files.ts';
import {
  type LedgerService,
  type LedgerServiceParts,
  startLedgerService,
} from '../../support/ledger-service.ts';
import { RecordSource } from '../../support/records.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { pointersOf } from '../http-fixture.ts';

/* Whole ranges from GET /api/query, over HTTP, on files. */

const ndjson = 'application/x-ndjson';
const csv = 'text/csv';
const journal = /results\/date=/;

test('a stream of NDJSON has the objects that the pages have, digit by digit, in both orders', async (t) => {
  const { service } = await withRecords(t, 2500);

  for (const order of ['asc', 'desc'] as const) {
    const pages = await Promise.all(
      [1, 2, 3].map((number) => text(service, `order=${order}&pageSize=1000&pageNumber=${number}`)),
    );
    const expected = pages.map((page) => page.slice(1, -1).replaceAll('},{', '}\n{'));

    t.is(await text(service, `order=${order}`, ndjson), `${expected.join('\n')}\n`);
    t.is(await text(service, `order=${order}`, 'application/jsonl'), `${expected.join('\n')}\n`);
  }
});

test('a stream has the records of its products and its time, and nothing else', async (t) => {
  const { service, records } = await withRecords(t, 2500);
  const [from, to] = [records[100], records[2300]];
  const range = `from=${formatTimestamp(at(from))}&to=${formatTimestamp(at(to))}`;

  const lines = await seqs(service, `productId=p0&productId=p2&${range}`);
  const one = await seqs(service, `productId=p1&order=desc&${range}`);

  const inRange = records.slice(100, 2301);
  const of = (...ids: readonly string[]) =>
    inRange.filter(({ productId }) => ids.includes(productId)).map(({ seq }) => seq);
  t.deepEqual(lines, of('p0', 'p2'));
  t.deepEqual(one, of('p1').toReversed());
});

test('for any query the pages joined, NDJSON, CSV and a filter on what was written agree', async (t) => {
  const { service, records } = await withRecords(t, 2500);
  const random = SeededRandom.forTest(t, 0);

  for (let count = 0; count < 15; count += 1) {
    const ids = ['p0', 'p1', 'p2', 'none'].filter(() => random.integer(3) === 0);
    const [from, to] = [at(random.pick(records)), at(random.pick(records))];
    const order = random.pick(['asc', 'desc'] as const);
    const query = [
      ...ids.map((id) => `productId=${id}`),
      `from=${formatTimestamp(from)}&to=${formatTimestamp(to)}&order=${order}`,
    ].join('&');
    const found = records.filter(
      ({ productId, timestamp }) =>
        (ids.length === 0 || ids.includes(productId)) && timestamp >= from && timestamp <= to,
    );
    const expected = (order === 'asc' ? found : found.toReversed()).map(({ seq }) => seq);

    t.deepEqual(await seqs(service, query), expected, query);
    t.deepEqual(
      await pagedSeqs(service, `${query}&pageSize=${200 + random.integer(800)}`),
      expected,
    );
    const [, ...rows] = readCsv(await text(service, query, csv));
    t.deepEqual(
      rows.map((row) => Number(row[5])),
      expected,
    );
  }
});

test('a stream of nothing is empty, and of CSV the header row', async (t) => {
  const service = await startLedgerService(t, await temporaryDirectory(t));

  t.is(await text(service, 'productId=none', ndjson), '');
  t.is(await text(service, '', csv), 'productId,price,previousPrice,timestamp,version,seq\r\n');
});

test('a stream of CSV says what it is, and is saved as a file', async (t) => {
  const { service } = await withRecords(t, 3);

  const answer = await fetch(`${service.url}/api/v1/query`, { headers: { accept: csv } });
  const head = await fetch(`${service.url}/api/query`, {
    method: 'HEAD',
    headers: { accept: csv },
  });
  const other = await fetch(`${service.url}/api/query`, { headers: { accept: ndjson } });
  await Promise.all([answer.text(), other.text()]);

  for (const { headers } of [answer, head]) {
    t.is(headers.get('content-type'), 'text/csv; charset=utf-8; header=present');
    t.is(headers.get('content-disposition'), 'attachment; filename="prices.csv"');
    t.is(headers.get('x-content-type-options'), 'nosniff');
    t.is(headers.get('cache-control'), 'no-store');
  }
  t.is(other.headers.get('content-disposition'), null);
});

test('what is for pages is 400 for a stream, and so is what is 400 for a page', async (t) => {
  const { service } = await withRecords(t, 3);

  for (const parameter of [
    'pageSize=5',
    'pagesize=5',
    'pageNumber=1',
    'cursor=x',
    'from=x',
    'x=1',
  ]) {
    for (const accept of [ndjson, csv]) {
      const headers = { accept };
      const answer = await fetch(`${service.url}/api/query?${parameter}`, { headers });
      t.is(answer.status, 400, parameter);
      const text = await answer.text();
      t.deepEqual(pointersOf({ text }), [`#/${parameter.split('=')[0]}`]);
    }
  }
});

test('DuckDB and a plain reader get from CSV what was written, whatever the product ids are', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await startLedgerService(t, directory);
  const named = ['plain', 'a,b', 'say "so"', '007', 'ü😀', "it's", ' x ', '=1+1', ' @x', 'NULL'];
  for (const id of named) await service.set(id, '3.50');
  for (const id of named) await service.set(id, '999999999999.999999');

  const bytes = await text(service, '', csv);

  const file = join(directory, 'prices.csv');
  await writeFile(file, bytes);
  const shown = (id: string) => (/^\s*[=@]/.test(id) ? `'${id}` : id);
  // DuckDB fills a decimal up to its scale.
  const type = 'TIMESTAMP WITH TIME ZONE';
  const rows = named.map((id) => [shown(id), '3.50', '']);
  const laterRows = named.map((id) => [shown(id), '999999999999.999999', '3.50']);
  const [header, ...plain] = readCsv(bytes);
  t.deepEqual(header, ['productId', 'price', 'previousPrice', 'timestamp', 'version', 'seq']);
  t.deepEqual(
    plain.map((row) => row.slice(0, 3)),
    [...rows, ...laterRows],
  );
  t.deepEqual(await byDuckDb(file), [
    ...named.map((id) => [shown(id), '3.500000', 'none', type]),
    ...named.map((id) => [shown(id), '999999999999.999999', '3.500000', type]),
  ]);
});

test('a stream holds what was there when it was asked for', async (t) => {
  const files = new FaultyFiles();
  const { service } = await withRecords(t, 2500, { files, queueMax: 1000 });
  const hold = files.hold('open', journal);

  const reading = seqs(service, '');
  await hold.reached();
  await Promise.all(Array.from({ length: 500 }, () => service.set('later', '1')));
  hold.release();

  t.is((await reading).at(-1), 2500);
  t.is((await seqs(service, '')).at(-1), 3000);
});

test('a stream that meets damage in its middle cuts its connection, and the log says why', async (t) => {
  const { directory, service } = await withRecords(t, 4000);
  const [segment = ''] = await segments(directory);
  const bytes = await readFile(segment);
  bytes.fill('x', bytes.length - 10, bytes.length - 9);
  await writeFile(segment, bytes);

  for (const accept of [ndjson, csv]) {
    const { response, received } = await receive(service, accept);

    t.is(response.statusCode, 200);
    t.true(received.length > 0, 'the damage was not in the first block');
    t.false(response.complete, 'the reader is told that this is not all');
  }
  const cut = service.log.lines.filter(({ level }) => level === 'error');
  t.deepEqual(
    cut.map(({ fields }) => [fields['status'], fields['code']]),
    Array(2).fill([200, 'JOURNAL_DAMAGED']),
  );
});

test('a stream that fails before its first record is answered as other reads are', async (t) => {
  const files = new FaultyFiles();
  const { service } = await withRecords(t, 10, { files });
  files.fail('open', journal, 'EMFILE', { times: 1 });

  const answer = await fetch(`${service.url}/api/query`, { headers: { accept: csv } });

  t.is(answer.status, 503);
  t.like(await answer.json(), { type: '/problems/storage-busy' });
  t.is(answer.headers.get('content-disposition'), null);
});

test('a stream counts as a read in parallel until it has ended, or its reader has gone', async (t) => {
  const { service } = await withRecords(t, 100_000, { limits: { readsMax: 1 } });
  const path = `${service.url}/api/query`;

  const paused = await openStream(service);
  const refused = await fetch(path);
  const other = await fetch(`${service.url}/api/record/1`);
  paused.resume();
  await once(paused, 'end');
  const after = await untilAnswered(path);
  const left = await openStream(service);
  left.destroy();
  const afterLeft = await untilAnswered(path);

  t.is(refused.status, 503);
  t.is(other.status, 200);
  t.deepEqual([after, afterLeft], [200, 200]);
});

test('a reader that stops reading is ended by the idle timeout, and frees its place', async (t) => {
  const { service } = await withRecords(t, 100_000, { limits: { readsMax: 1 } });
  service.server.timeout = 200;

  const paused = await openStream(service);
  const after = await untilAnswered(`${service.url}/api/query`);

  t.is(after, 200);
  paused.resume();
  await t.throwsAsync(once(paused, 'end'));
  t.false(paused.complete);
});

/** A service on a store of this many records, of three products in turn, after a clean stop. */
async function withRecords(t: ExecutionContext, count: number, parts: LedgerServiceParts = {}) {
  const source = new RecordSource();
  const batches = Array.from({ length: Math.ceil(count / 1000) }, (_, batch) =>
    source.batch(
      ...Array.from({ length: Math.min(1000, count - batch * 1000) }, (_, at) => `p${at % 3}`),
    ),
  );
  const directory = await closedDirectory(t, batches);
  const service = await startLedgerService(t, directory, parts);
  return { directory, service, records: batches.flat() };
}

function at(record: PriceRecord | undefined) {
  if (record === undefined) throw new Error('there is no such record');
  return record.timestamp;
}

async function text({ url }: LedgerService, query: string, accept = '*/*'): Promise<string> {
  const answer = await fetch(`${url}/api/query?${query}`, { headers: { accept } });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.text();
}

async function seqs(service: LedgerService, query: string): Promise<readonly number[]> {
  const lines = (await text(service, query, ndjson)).split('\n').slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as { readonly seq: number }).seq);
}

/** The seqs of a page and of all that its links lead on to. */
async function pagedSeqs({ url }: LedgerService, query: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (let next: string | undefined = `/api/query?${query}`; next !== undefined; ) {
    const answer: Response = await fetch(url + next);
    const page = (await answer.json()) as readonly { readonly seq: number }[];
    found.push(...page.map(({ seq }) => seq));
    next = /<([^>]*)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  return found;
}

async function segments(directory: string): Promise<readonly string[]> {
  const names = await readdir(join(directory, 'results'), { recursive: true });
  return names
    .filter((name) => name.endsWith('.ndjson'))
    .sort()
    .map((name) => join(directory, 'results', name));
}

/** The answer's head; nothing of its body is taken until the test does. */
async function openStream({ port }: LedgerService, accept = ndjson): Promise<http.IncomingMessage> {
  const headers = { accept };
  const request = http.request({ port, path: '/api/query', headers, agent: false }).end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return response;
}

async function receive(service: LedgerService, accept: string) {
  const response = await openStream(service, accept);
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve) => {
    response.on('error', () => {}).on('close', resolve);
  });
  return { response, received: Buffer.concat(chunks) };
}

/** The status once the endpoint has a place. */
async function untilAnswered(path: string): Promise<number> {
  for (;;) {
    const answer = await fetch(path);
    await answer.text();
    if (answer.status !== 503) return answer.status;
  }
}

/** RFC 4180 and nothing else. */
function readCsv(bytes: string): readonly (readonly string[])[] {
  const rows: string[][] = [[]];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  for (const [, quoted, plain, end] of bytes.matchAll(cell)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === '\r\n') rows.push([]);
  }
  return rows.slice(0, -1);
}

/** Product, price and previous price, by DuckDB with its defaults but for the type of the prices. */
async function byDuckDb(file: string): Promise<readonly (readonly unknown[])[]> {
  const connection = await (await DuckDBInstance.create()).connect();
  const result = await connection.runAndReadAll(
    `SELECT productId, price::VARCHAR, coalesce(previousPrice::VARCHAR, 'none'), typeof("timestamp")
     FROM read_csv('${file}', types = {'price': 'DECIMAL(18,6)', 'previousPrice': 'DECIMAL(18,6)'})
     ORDER BY seq`,
  );
  connection.closeSync();
  return result.getRows();
}
