import assert from 'node:assert';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../../src/config/read-config.ts';
import { hasCode } from '../../src/errors.ts';
import { nodeFileSystem } from '../../src/files/file-system.ts';
import { createSystemClock } from '../../src/ledger/clock.ts';
import { PriceLedger } from '../../src/ledger/price-ledger.ts';
import { FileStorage } from '../../src/storage/file-storage.ts';
import { price, productId } from '../support/records.ts';
import { StorageProgress } from './storage-progress.ts';

/*
 * Many more products than the cache holds go through a ledger with the service's own defaults, and the
 * heap has to stay under a limit: whatever kept something for each product would be seen here.
 * Run it with `--expose-gc`: what counts is what a full collection leaves.
 */

const heapBytesMax = 200_000_000;
const lastPricesMax = 10_000;
const batchRecords = 5_000;
const reportEvery = 100_000;

/** A try that takes longer than this is given up, so that the script always ends. */
const runMsMax = 3_600_000;

const { values: given } = parseArgs({ options: { products: { type: 'string' } } });
const products = Number(given.products ?? 2_000_000);
assert(Number.isInteger(products) && products > 0, '--products must be a whole number above 0');
const collect = globalThis.gc;
assert(collect !== undefined, 'run this with node --expose-gc');

const startedMs = performance.now();
const directory = await mkdtemp(join(tmpdir(), 'repricer-memory-'));
let isStopAsked = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    isStopAsked = true;
  });
}
try {
  process.exitCode = await run();
} finally {
  print(`removing ${directory}`);
  await rm(directory, { recursive: true, force: true });
  print(`removed after ${seconds()} s`);
}

async function run(): Promise<number> {
  const config = readConfig({}, [
    ...['--data-dir', directory],
    ...['--last-prices-max', String(lastPricesMax)],
    ...['--queue-max', String(batchRecords)],
  ]);
  const clock = createSystemClock();
  const progress = new StorageProgress();
  const storage = await FileStorage.open(nodeFileSystem, { ...config, directory }, progress, clock);
  const options = { ...config, batchRecordsMax: batchRecords };
  const ledger = await PriceLedger.open(storage, options, clock, fail);
  print(`${products} products in ${directory}, cache of ${lastPricesMax}`);

  let highestBytes = report(0, progress);
  let done = 0;
  while (done < products && !isStopAsked && performance.now() - startedMs < runMsMax) {
    const end = Math.min(products, done + batchRecords);
    await repriceAll(ledger, done, end);
    done = end;
    if (done % reportEvery === 0) highestBytes = Math.max(highestBytes, report(done, progress));
  }

  print(`closing: product files lack ${done - progress.aggregatedSeq} records`);
  await ledger.close();
  highestBytes = Math.max(highestBytes, report(done, progress));
  return judge(done, highestBytes, progress);
}

async function repriceAll(ledger: PriceLedger, from: number, to: number): Promise<void> {
  await Promise.all(Array.from({ length: to - from }, (_, index) => reprice(ledger, from + index)));
}

/** A full backlog refuses a write that has waited for room in vain, and then a client tries again. */
async function reprice(ledger: PriceLedger, number: number): Promise<void> {
  const update = { productId: productId(`product-${number}`), newPrice: price('3.50') };
  for (;;) {
    try {
      await ledger.reprice(update, { mustBeNew: true });
      return;
    } catch (error) {
      if (!hasCode(error, 'BACKLOG_FULL')) throw error;
    }
  }
}

/** Prints what is in use now and gives the heap's bytes, after a full collection. */
function report(done: number, progress: StorageProgress): number {
  collect?.();
  const { heapUsed, rss, external } = process.memoryUsage();
  const figures = [
    `${String(done).padStart(9)} products`,
    `heap ${megabytes(heapUsed)} MB`,
    `rss ${megabytes(rss)} MB`,
    `external ${megabytes(external)} MB`,
    `not in files yet ${String(done - progress.aggregatedSeq).padStart(7)}`,
    `not synced ${String(done - progress.checkpointedSeq).padStart(7)}`,
    `${seconds()} s`,
  ];
  print(figures.join('  '));
  return heapUsed;
}

function judge(done: number, highestBytes: number, progress: StorageProgress): number {
  const rssBytes = process.resourceUsage().maxRSS * 1024;
  print(
    `highest heap after a collection ${megabytes(highestBytes)} MB, highest rss ${megabytes(rssBytes)} MB`,
  );
  const problems = [
    ...(done < products ? [`only ${done} of ${products} products were priced`] : []),
    ...(highestBytes > heapBytesMax ? [`the heap exceeded ${megabytes(heapBytesMax)} MB`] : []),
    ...(progress.checkpointedSeq < done ? ['the checkpoint does not cover all records'] : []),
    ...progress.failures,
  ];
  for (const problem of problems) print(`FAILED: ${problem}`);
  return problems.length === 0 ? 0 : 1;
}

function fail(error: Error): never {
  throw error;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1).padStart(6);
}

function seconds(): string {
  return ((performance.now() - startedMs) / 1000).toFixed(0);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
