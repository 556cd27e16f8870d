import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../../src/files/file-system.ts';
import { verifyStore } from '../../src/storage/verify.ts';
import type { BenchOptions } from './bench-options.ts';
import { BenchProcess } from './bench-process.ts';
import { type BenchReport, type Comparison, type Round, summarize } from './bench-report.ts';
import type { LoadJob, LoadReply, LoadResult } from './load-job.ts';
import { type BenchServer, startBareKoa, startRepricer } from './servers.ts';
import { isInMemory, volumeType } from './volume-type.ts';

/**
 * Measures the service beside a bare Koa app, in turns, and then checks that the journal has exactly the
 * records that were acknowledged. Throws when an answer or the check is wrong, and when `stop` aborts;
 * slow is never wrong. Leaves no process and no file behind.
 */
export async function runBenchmark(options: BenchOptions, stop: AbortSignal): Promise<BenchReport> {
  const directory = await mkdtemp(join(tmpdir(), 'repricer-bench-'));
  try {
    const fileSystem = await volumeType(directory);
    if (isInMemory(fileSystem)) {
      throw new Error(`${tmpdir()} is ${fileSystem}; set TMPDIR to a directory on a disk`);
    }
    return {
      date: new Date().toISOString(),
      node: process.version,
      cpu: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`,
      fileSystem: `${fileSystem} at ${tmpdir()}`,
      conditions: describeConditions(options),
      ...(await measureIn(directory, options, stop)),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function measureIn(
  directory: string,
  options: BenchOptions,
  stop: AbortSignal,
): Promise<Pick<BenchReport, 'comparisons' | 'recordsVerified'>> {
  const dataDir = join(directory, 'data');
  const service = await startRepricer(dataDir, join(directory, 'service.log'));
  const bare = await startBareKoa();
  const bench = new Bench(service, bare, options);
  try {
    const comparisons = await unlessAborted(bench.run(), stop);
    const recordsVerified = await verifyRecords(dataDir, bench.acknowledged);
    return { comparisons, recordsVerified };
  } finally {
    await bench.kill();
  }
}

async function unlessAborted<T>(work: Promise<T>, stop: AbortSignal): Promise<T> {
  const aborted = once(stop, 'abort').then(() => Promise.reject(new Error(String(stop.reason))));
  return Promise.race([work, aborted]);
}

/** What the figures depend on, the machine's other work included. */
function describeConditions(options: BenchOptions): readonly string[] {
  const { connections, products, rounds, seconds } = options;
  return [
    `${connections} connections, ${products} products, ${rounds} rounds of ${seconds} s for each server in turn`,
    `the service with its defaults, its log to a file; load average before ${loadavg()[0]?.toFixed(1)}`,
  ];
}

/** Throws unless the store is well and has as many records as were acknowledged. */
async function verifyRecords(dataDir: string, acknowledged: number): Promise<number> {
  const { records, damages, damageCount, notes } = await verifyStore(nodeFileSystem, dataDir);
  if (damageCount > 0 || notes.length > 0) {
    throw new Error(`the store is not well: ${JSON.stringify({ damages, notes })}`);
  }
  if (records !== acknowledged) {
    throw new Error(`${acknowledged} writes were acknowledged, the journal has ${records}`);
  }
  return records;
}

/** The two servers, of which one runs at a time, and the load generator. */
class Bench {
  readonly #service: BenchServer;
  readonly #bare: BenchServer;
  readonly #options: BenchOptions;
  readonly #generator: BenchProcess;
  /** Writes that the service has acknowledged. */
  acknowledged = 0;

  constructor(service: BenchServer, bare: BenchServer, options: BenchOptions) {
    this.#service = service;
    this.#bare = bare;
    this.#options = options;
    this.#generator = BenchProcess.start(
      'the load generator',
      new URL('./load-generator.js', import.meta.url),
    );
    service.process.pause();
    bare.process.pause();
  }

  /** Measures everything, then lets all processes stop in their own time. */
  async run(): Promise<readonly Comparison[]> {
    const comparisons = [
      await this.#compare('durable reprice (202)', 'reprice'),
      await this.#compare('GET price (200)', 'price'),
    ];
    await this.#stop();
    return comparisons;
  }

  /** Ends all processes at once, those that have stopped already excepted. */
  async kill(): Promise<void> {
    const all = [this.#generator, this.#bare.process, this.#service.process];
    await Promise.all(all.map((process) => process.kill()));
  }

  /** Measures both servers in turns, after a stretch each that warms them up and counts for nothing. */
  async #compare(title: string, route: LoadJob['route']): Promise<Comparison> {
    const rounds: Round[] = [];
    await this.#round(route, true);
    while (rounds.length < this.#options.rounds) rounds.push(await this.#round(route, false));
    return summarize(title, rounds);
  }

  async #stop(): Promise<void> {
    await this.#generator.stop();
    await this.#bare.process.stop();
    const code = await this.#service.process.stop();
    if (code !== 0) throw new Error(`the service ended with ${code}`);
  }

  async #round(route: LoadJob['route'], isWarmUp: boolean): Promise<Round> {
    const service = await this.#load(this.#service, route, isWarmUp);
    if (route === 'reprice') this.acknowledged += service.answers;
    return { service, bare: await this.#load(this.#bare, route, isWarmUp) };
  }

  async #load(
    { process, port }: BenchServer,
    route: LoadJob['route'],
    isWarmUp: boolean,
  ): Promise<LoadResult> {
    const { connections, seconds, products } = this.#options;
    const job: LoadJob = { port, route, connections, seconds, isWarmUp, products };
    process.resume();
    this.#generator.send(job);
    const reply = (await process.whileRunning(this.#generator.message())) as LoadReply;
    process.pause();
    if ('problem' in reply) throw new Error(`${process.name}, ${route}: ${reply.problem}`);
    const { badStatuses } = reply.result;
    if (Object.keys(badStatuses).length > 0) {
      throw new Error(`${process.name}, ${route}: wrong statuses ${JSON.stringify(badStatuses)}`);
    }
    return reply.result;
  }
}
