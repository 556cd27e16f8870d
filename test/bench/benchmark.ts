import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import type { BenchOptions, SuiteName } from './bench-options.ts';
import { LoadDriver } from './processes/load-driver.ts';
import type { SuiteResult } from './report/measure.ts';
import type { Report } from './report/report.ts';
import { type MadeStore, makeStores } from './stores/made-stores.ts';
import { measureBulk } from './suites/bulk.ts';
import { measureMemory } from './suites/memory.ts';
import { measureQueries } from './suites/query.ts';
import { measureReads } from './suites/read.ts';
import { measureSlowDisk } from './suites/slow.ts';
import { measureStart } from './suites/start.ts';
import { measureStreams } from './suites/stream.ts';
import { measureTail } from './suites/tail.ts';
import { measureWrites } from './suites/write.ts';
import { isInMemory, volumeType } from './volume-type.ts';

const suites: Readonly<Record<SuiteName, (bench: Bench) => Promise<SuiteResult>>> = {
  write: measureWrites,
  read: measureReads,
  bulk: measureBulk,
  start: measureStart,
  memory: measureMemory,
  query: measureQueries,
  stream: measureStreams,
  slow: measureSlowDisk,
  tail: measureTail,
};

/**
 * Runs the suites one after the other. Throws when an answer or a store is wrong, and when `stop`
 * aborts; slow is never wrong. Leaves no process and no file behind.
 */
export async function runBenchmark(options: BenchOptions, stop: AbortSignal): Promise<Report> {
  const directory = await mkdtemp(join(tmpdir(), 'repricer-bench-'));
  // A database that does not run as root passes through here to its own directory.
  await chmod(directory, 0o711);
  const driver = new LoadDriver(stop);
  try {
    const fileSystem = await volumeType(directory);
    if (isInMemory(fileSystem)) {
      throw new Error(`${tmpdir()} is ${fileSystem}; set TMPDIR to a directory on a disk`);
    }
    const conditions = describeConditions(options);
    let stores: Promise<readonly MadeStore[]> | undefined;
    const bench: Bench = {
      ...{ options, directory, driver },
      stores() {
        stores ??= makeStores(directory, options.sizes, stop);
        return stores;
      },
    };
    const results: Partial<Record<SuiteName, SuiteResult>> = {};
    for (const name of options.suites) {
      stop.throwIfAborted();
      process.stderr.write(`measuring ${name}\n`);
      results[name] = await suites[name](bench);
    }
    return {
      date: new Date().toISOString(),
      node: process.version,
      machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
      ...{ fileSystem, conditions, suites: results },
    };
  } finally {
    await driver.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

/** What the figures depend on, the machine's other work included. */
function describeConditions({ rounds, seconds }: BenchOptions): string {
  const before = loadavg()[0]?.toFixed(1);
  return `${rounds} rounds of ${seconds} s, load average before the run ${before}`;
}
