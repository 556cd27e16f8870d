import test, { type ExecutionContext } from 'ava';
import { PriceQueries } from '../../src/ledger/price-queries.ts';
import type { Beside, PriceFilter, PricePage, PriceQuery } from '../../src/ledger/price-query.ts';
import type { PriceRecord } from '../../src/model/price-record.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { type OpenLedger, openLedger } from '../support/ledger.ts';
import { productId, TestClock } from '../support/records.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/* Pages by cursor and scans, against the simplest thing that could be right: a filter on a list. */

const names = ['a', 'b', 'c/%', 'ü😀', 'rarely', 'never'];
const stores = 4;
const queriesEach = 25;

for (let number = 0; number < stores; number += 1) {
  test(`the pages joined are the scan, and both are what a filter finds (${number})`, async (t) => {
    const random = SeededRandom.forTest(t, number);
    const { ledger, storage, model } = await randomStore(t, random);
    const lastSeq = () => ledger.lastSeq;

    for (let count = 0; count < queriesEach; count += 1) {
      const query = randomQuery(random, model);
      const queries = new PriceQueries(storage, lastSeq, 1 + random.integer(30));
      const expected = filtered(model, query);

      t.deepEqual(await scanned(queries, query), expected, JSON.stringify(query));
      t.deepEqual(await paged(ledger, query, 'after'), expected, JSON.stringify(query));
      await checkWayBack(t, ledger, query, expected);
    }
    await ledger.close();
  });
}

test('a scan holds what was there when it began, however much is written meanwhile', async (t) => {
  const { ledger, set } = await openLedger(await temporaryDirectory(t), { queueMax: 5000 });
  for (let count = 0; count < 2500; count += 500) await setMany(set, count, 500);
  for (const order of ['asc', 'desc'] as const) {
    const seqs: number[] = [];
    const before = ledger.lastSeq;

    for await (const block of ledger.scan({ productIds: [], order })) {
      seqs.push(...block.map(({ seq }) => seq));
      await setMany(set, 0, 100);
    }

    const expected = Array.from({ length: before }, (_, index) => index + 1);
    t.deepEqual(order === 'asc' ? seqs : seqs.toReversed(), expected);
    t.true(ledger.lastSeq > before);
  }
  await ledger.close();
});

test('a scan of all records searches for its beginning once, and then reads on', async (t) => {
  const directory = await temporaryDirectory(t);
  const files = new FaultyFiles();
  const { ledger, set } = await openLedger(directory, { files, queueMax: 20_000 });
  for (let count = 0; count < 20_000; count += 5000) await setMany(set, count, 5000);
  const { timestamp } = (await ledger.record(5001)).record;
  const before = files.calls('read').length;

  let records = 0;
  for await (const block of ledger.scan({ productIds: [], order: 'asc', from: timestamp })) {
    records += block.length;
  }
  const reads = files.calls('read').length - before;

  t.is(records, 15_000);
  t.true(reads <= 60, `${reads} reads of fifteen blocks`);
  await ledger.close();
});

test('a page deep in a union is found with a few reads of each part', async (t) => {
  const directory = await temporaryDirectory(t);
  const files = new FaultyFiles();
  const writing = await openLedger(directory, { queueMax: 5000 });
  for (let count = 0; count < 20_000; count += 5000) await setMany(writing.set, count, 5000);
  await writing.ledger.close();
  const { ledger } = await openLedger(directory, { files });
  const productIds = Array.from({ length: productsMany }, (_, index) => productId(`p${index}`));

  for (const order of ['asc', 'desc'] as const) {
    const before = files.calls('read').length;
    const beside = { side: 'after', seq: 10_001 } as const;
    const query = { productIds, order, pageSize: 25, pageNumber: 1, beside };
    const { records } = await ledger.query(query);
    const reads = files.calls('read').length - before;

    t.log(`${order}: ${reads} reads`);
    const step = order === 'asc' ? 1 : -1;
    t.deepEqual(
      records.map(({ seq }) => seq),
      Array.from({ length: 25 }, (_, index) => 10_001 + step * (index + 1)),
    );
    t.true(reads <= productsMany * 40, `${reads} reads of ${productsMany} files`);
  }
  await ledger.close();
});

const productsMany = 7;

/** Writes `count` prices to as many products in turn, in one go. */
async function setMany(set: OpenLedger['set'], from: number, count: number): Promise<void> {
  const products = Array.from({ length: count }, (_, index) => (from + index) % productsMany);
  await Promise.all(products.map((product) => set(`p${product}`, '1.5')));
}

/** A store of several segments, part of it from an earlier run and part of it not in product files yet. */
async function randomStore(t: ExecutionContext, random: SeededRandom) {
  const directory = await temporaryDirectory(t);
  const clock = new TestClock();
  const options = { segmentBytesMax: random.pick([500, 5000, 100_000]) };
  const model: PriceRecord[] = [];
  const write = async ({ set }: OpenLedger) => {
    for (let batch = random.integer(40); batch > 0; batch -= 1) {
      const writes = Array.from({ length: 1 + random.integer(8) }, () =>
        set(random.pick(names.slice(0, random.integer(2) === 0 ? 2 : 5)), '1.5'),
      );
      model.push(...(await Promise.all(writes)).map(({ record }) => record));
      clock.advanceMs(random.integer(2));
    }
  };
  const first = await openLedger(directory, { clock, options });
  await write(first);
  await first.ledger.close();
  const flushIntervalMs = random.pick([1, 3_600_000]);
  const second = await openLedger(directory, { clock, options: { ...options, flushIntervalMs } });
  await write(second);
  return { ...second, model };
}

function randomQuery(random: SeededRandom, model: readonly PriceRecord[]): PriceQuery {
  const wanted = names.filter(() => random.integer(3) === 0).map(productId);
  const time = () =>
    model.length === 0 || random.integer(2) === 0 ? undefined : random.pick(model).timestamp;
  const [from, to] = [time(), time()];
  return {
    productIds: wanted,
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    order: random.pick(['asc', 'desc'] as const),
    pageSize: 1 + random.integer(30),
    pageNumber: 1,
  };
}

function filtered(model: readonly PriceRecord[], filter: PriceFilter): readonly PriceRecord[] {
  const { productIds, from = 0, to = Number.POSITIVE_INFINITY, order } = filter;
  const matching = model.filter(
    ({ productId: id, timestamp }) =>
      (productIds.length === 0 || productIds.includes(id)) && timestamp >= from && timestamp <= to,
  );
  return order === 'asc' ? matching : matching.toReversed();
}

async function scanned(
  queries: PriceQueries,
  filter: PriceFilter,
): Promise<readonly PriceRecord[]> {
  const records: PriceRecord[] = [];
  for await (const block of queries.scan(filter)) records.push(...block);
  return records;
}

type Reads = OpenLedger['ledger'];

/** The pages in the order in which they are followed to one side, from the first or from `start` on. */
async function pages(
  ledger: Reads,
  query: PriceQuery,
  side: Beside['side'],
  start?: Beside,
): Promise<readonly PricePage[]> {
  const found: PricePage[] = [];
  let beside = start;
  for (;;) {
    const page = await ledger.query({ ...query, ...(beside !== undefined && { beside }) });
    found.push(page);
    const edge = side === 'after' ? page.records.at(-1) : page.records[0];
    const goesOn = side === 'after' ? page.hasNext : page.hasPrevious;
    if (!goesOn || edge === undefined) return found;
    beside = { side, seq: edge.seq };
  }
}

async function paged(
  ledger: Reads,
  query: PriceQuery,
  side: Beside['side'],
): Promise<readonly PriceRecord[]> {
  const found = await pages(ledger, query, side);
  const full = found.slice(0, -1);
  return full.every(({ records }) => records.length === query.pageSize)
    ? found.flatMap(({ records }) => records)
    : [];
}

/** From the last record back to the first, each page has what stands before it. */
async function checkWayBack(
  t: ExecutionContext,
  ledger: Reads,
  query: PriceQuery,
  expected: readonly PriceRecord[],
): Promise<void> {
  const last = expected.at(-1);
  if (last === undefined) return;
  const back = await pages(ledger, query, 'before', { side: 'before', seq: last.seq });
  const joined = back.toReversed().flatMap(({ records }) => records);
  t.deepEqual(joined, expected.slice(0, -1), JSON.stringify(query));
  t.true(back.every(({ hasNext }) => hasNext));
}
