import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import test from 'ava';
import { productFile } from '../../src/storage/product-file.ts';
import { ChildService, runMain } from '../support/child-service.ts';
import { price as toPrice, productId as toProductId } from '../support/records.ts';
import { checkCleanStore } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/*
 * Ten years of monthly prices of five stocks, from the CSV that the vega-datasets package ships,
 * through a running service and out of its files with the tools that analysts use.
 */

interface Row {
  readonly symbol: string;
  readonly date: number;
  readonly price: string;
}

test('real prices come out of every door exactly as they went in', async (t) => {
  const rows = await readStocks();
  const symbols = [...new Set(rows.map(({ symbol }) => symbol))].sort();
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory);

  for (const { symbol, price } of rows) {
    const { status } = await service.reprice(symbol, price);
    t.is(status, 202);
  }
  const pages = await allPages(service, '');
  const pagesOfEach = await Promise.all(
    symbols.map((symbol) => allPages(service, `productId=${symbol}&`)),
  );
  t.is((await service.kill('SIGTERM')).code, 0);

  t.is((await runMain(['verify', '--data-dir', directory])).code, 0);
  t.is((await checkCleanStore(t, directory)).records, rows.length);
  t.deepEqual(
    pricesIn(pages),
    rows.map(({ symbol, price }) => [symbol, toPrice(price)]),
  );
  for (const [index, symbol] of symbols.entries()) {
    const own = rows.filter((row) => row.symbol === symbol).map(({ price }) => toPrice(price));
    t.deepEqual(
      pricesIn(pagesOfEach[index] ?? []).map(([, price]) => price),
      own,
    );
    t.deepEqual(
      await chainIn(directory, symbol),
      own.map((price, at) => [own[at - 1] ?? 'null', price]),
    );
  }
  t.deepEqual(await sumsByDuckDb(directory), sumsOf(rows));

  const restarted = await ChildService.start(t, directory);
  t.deepEqual(await allPages(restarted, ''), pages, 'the answers are the same after a restart');
  t.is((await restarted.kill('SIGTERM')).code, 0);
});

/** In order of date, then of symbol. */
async function readStocks(): Promise<readonly Row[]> {
  const main = createRequire(import.meta.url).resolve('vega-datasets');
  const file = join(dirname(main), '../data/stocks.csv');
  const [, ...lines] = (await readFile(file, 'utf8')).trim().split(/\r?\n/);
  return lines
    .map((line) => {
      const [symbol = '', date = '', price = ''] = line.split(',');
      return { symbol, date: Date.parse(`${date} UTC`), price };
    })
    .sort((a, b) => a.date - b.date || a.symbol.localeCompare(b.symbol));
}

/** The texts of all pages, of 100 records each. */
async function allPages(service: ChildService, filter: string): Promise<readonly string[]> {
  const pages: string[] = [];
  for (;;) {
    const path = `/api/query?${filter}pageSize=100&pageNumber=${pages.length + 1}`;
    const { body } = await service.get(path);
    if (body === '[]') return pages;
    pages.push(body);
  }
}

/** Products and prices as they are written, since reading them as numbers would lose digits. */
function pricesIn(pages: readonly string[]): readonly (readonly string[])[] {
  const record = /"productId":"(\w+)","price":([\d.]+)/g;
  return pages.flatMap((page) =>
    [...page.matchAll(record)].map(([, symbol = '', price = '']) => [symbol, price]),
  );
}

/** For each record of a product file the previous price and the new one, as they are written. */
async function chainIn(directory: string, symbol: string): Promise<readonly (readonly string[])[]> {
  const text = await readFile(join(directory, productFile(toProductId(symbol))), 'utf8');
  const record = /"previousPrice":(null|[\d.]+),"newPrice":([\d.]+)/g;
  return [...text.matchAll(record)].map(([, previous = '', price = '']) => [previous, price]);
}

interface Sum {
  readonly symbol: string;
  readonly count: number;
  /** Hundredths, which every price of the file is a whole number of. */
  readonly cents: number;
}

function sumsOf(rows: readonly Row[]): readonly Sum[] {
  return [...new Set(rows.map(({ symbol }) => symbol))].sort().map((symbol) => {
    const cents = rows.filter((row) => row.symbol === symbol).map(({ price }) => toCents(price));
    return { symbol, count: cents.length, cents: cents.reduce((sum, value) => sum + value, 0) };
  });
}

function toCents(price: string): number {
  const [integer, fraction = ''] = price.split('.');
  return Number(`${integer}${fraction.padEnd(2, '0')}`);
}

/** Counts and sums by DuckDB with its defaults, which infer names and types from the files. */
async function sumsByDuckDb(directory: string): Promise<readonly Sum[]> {
  const connection = await (await DuckDBInstance.create()).connect();
  const result = await connection.runAndReadAll(
    `SELECT productId, count(*)::INTEGER, sum(newPrice)::DECIMAL(18, 2)::VARCHAR
     FROM '${directory}/results/**/*.ndjson' GROUP BY 1 ORDER BY 1`,
  );
  connection.closeSync();
  return result.getRows().map(([symbol, count, sum]) => ({
    symbol: String(symbol),
    count: Number(count),
    cents: toCents(String(sum)),
  }));
}
