import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nodeFileSystem } from '../../../src/files/file-system.ts';
import { readCheckpoint } from '../../../src/storage/checkpoint.ts';
import type { Bench } from '../bench.ts';
import type { LoadResult } from '../load/load-job.ts';
import type { Loaded } from '../processes/load-driver.ts';
import { type RepricerServer, startRepricer } from '../processes/repricer-server.ts';
import { scrapeMetrics } from '../processes/scraped-metrics.ts';
import { type Measure, ratioOf, type Series, type SuiteResult } from '../report/measure.ts';
import { targets } from '../report/targets.ts';
import { inTurns } from './in-turns.ts';
import { requestSeries } from './load-series.ts';
import { recordsAfterKill, requireAll } from './store-records.ts';

const connections = 50;
/** Moderate: a fraction of what the service can take, so that a queue is never the reason of a latency. */
const perSecond = 1000;
/** A disk that takes longer is measured for so long. */
const secondsMax = 60;
/** All that can be allowed, for both: neither may hold a writer back because records wait. */
const backlogRecordsMax = 10_000_000;

/** The other's product files wait for the whole run, but for those of the first record. */
const subjects = [
  { name: 'aggregation', flags: [] },
  { name: 'no aggregation', flags: ['--flush-interval-ms', '3600000'] },
] as const;

type Subject = (typeof subjects)[number];

interface Tail extends Loaded<LoadResult> {
  readonly waitingAtStart: number;
  readonly eventLoopDelayP99Ms: number;
  readonly acknowledged: number;
}

/** Reprices while the files of very many products are written, beside a service that writes none. */
export async function measureTail(bench: Bench): Promise<SuiteResult> {
  const { rounds, windowProducts } = bench.options;
  await mkdir(join(bench.directory, 'tail'));
  let turns = 0;
  let seconds = secondsMax;
  let acknowledged = 0;
  const results = await inTurns(subjects, rounds, async (subject) => {
    turns += 1;
    const dataDir = join(bench.directory, 'tail', String(turns));
    // The one without aggregation has nothing that ends it, and is measured for as long as the other.
    const tail = await measureOne(bench, subject, dataDir, seconds);
    seconds = subject.name === 'aggregation' ? tail.seconds : secondsMax;
    acknowledged += tail.acknowledged;
    return tail;
  });
  const note =
    `Reprices of ${windowProducts.toLocaleString('en-US')} products, ${perSecond} a second whatever the answers take, ` +
    `until every one of their files was written and synced, ${secondsMax} s at most. ` +
    'A latency counts from when the request was due.';
  const kept = `${acknowledged.toLocaleString('en-US')} writes were acknowledged, and the journals of the killed services had exactly as many records.`;
  return { measures: present(results), skipped: [], notes: [note, kept], charts: [] };
}

/** On a store of its own, so that in each turn each product's file is made and not only appended to. */
async function measureOne(
  bench: Bench,
  { flags }: Subject,
  dataDir: string,
  seconds: number,
): Promise<Tail> {
  const service = await startRepricer(dataDir, {
    flags: ['--backlog-records-max', String(backlogRecordsMax), ...flags],
  });
  try {
    const tail = await loadWindow(bench, service, dataDir, seconds);
    // A clean stop would first write the files of the one that had not to write any.
    await service.kill();
    requireAll(tail.acknowledged, await recordsAfterKill(dataDir));
    // Pages that are still on their way to the disk would disturb who comes next.
    await promisify(execFile)('sync', ['--file-system', dataDir]);
    return tail;
  } finally {
    await service.kill();
  }
}

async function loadWindow(
  { driver, options }: Bench,
  service: RepricerServer,
  dataDir: string,
  seconds: number,
): Promise<Tail> {
  const { products, windowProducts: records } = options;
  const warmUp = await driver.request(service, {
    requests: { route: 'reprice', products },
    ...{ connections, seconds: 1, sendsAll: false, mayRefuse: false },
  });
  await driver.upload(service, { records, products: 'each once' });
  const before = warmUp.answers + records;
  service.process.resume();
  const { aggregationLagRecords } = await scrapeMetrics(service);
  const requests = { route: 'reprice', products: records } as const;
  const job = { requests, connections, perSecond, seconds };
  const result = await driver.pace(service, job, () => isAggregated(dataDir, before));
  service.process.resume();
  const { eventLoopDelayP99Ms } = await scrapeMetrics(service);
  const acknowledged = before + result.answers;
  return { ...result, waitingAtStart: aggregationLagRecords, eventLoopDelayP99Ms, acknowledged };
}

/** Whether every record up to `seq` is in its product file, and on disk. */
async function isAggregated(dataDir: string, seq: number): Promise<boolean> {
  const checkpoint = await readCheckpoint(nodeFileSystem, dataDir);
  return typeof checkpoint === 'object' && checkpoint.seq >= seq;
}

function present(results: ReadonlyMap<Subject, readonly Tail[]>): readonly Measure[] {
  const seriesOf = (pick: (tail: Tail) => number): readonly Series[] =>
    [...results].map(([{ name }, tails]) => ({ subject: name, values: tails.map(pick) }));
  const latencies = [...results].map(([{ name }, tails]) => ({
    ...requestSeries(name, tails),
    values: tails.map(({ p99Ms }) => p99Ms),
  }));
  const [busy, quiet] = latencies;
  const tail =
    busy === undefined || quiet === undefined ? [] : [ratioOf(busy, quiet, targets.tail)];
  const delays = seriesOf(({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms);
  const values = delays[0]?.values ?? [];
  const lateness = { title: 'aggregation, in ms', values, target: targets.tailEventLoop };
  return [
    { title: 'one reprice, p99', unit: 'ms', series: latencies, ratios: tail },
    { title: 'event loop delay, p99', unit: 'ms', series: delays, ratios: [lateness] },
    {
      ...{ title: 'waiting for their files at first', unit: 'records', ratios: [] },
      series: seriesOf(({ waitingAtStart }) => waitingAtStart),
    },
    {
      ...{ title: 'time measured', unit: 's', ratios: [] },
      series: seriesOf((one) => one.seconds),
    },
  ];
}
