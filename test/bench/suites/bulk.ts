import type { Bench } from '../bench.ts';
import type { UploadResult } from '../load/load-job.ts';
import { BenchProcess } from '../processes/bench-process.ts';
import type { BenchServer } from '../processes/bench-server.ts';
import type { Loaded } from '../processes/load-driver.ts';
import { cpuSecondsOf } from '../processes/process-cpu.ts';
import type { SuiteResult } from '../report/measure.ts';
import { targets } from '../report/targets.ts';
import { inTurns } from './in-turns.ts';
import { uploadSeries } from './load-series.ts';
import { withPeersBeside } from './peers-beside.ts';
import { ratiosToPeers } from './ratios-to-peers.ts';
import { requireAll } from './store-records.ts';

/** A batch is as long as a fast server takes for one stretch. */
const recordsPerSecond = 200_000;
const productsMax = 10_000;

/** One NDJSON batch at a time beside the peers, and beside what one thread does without any of them. */
export async function measureBulk(bench: Bench): Promise<SuiteResult> {
  const { rounds, seconds } = bench.options;
  const job = { records: recordsPerSecond * seconds, products: productsMax };
  const thread = BenchProcess.start(
    'one thread',
    new URL('../peers/one-thread.js', import.meta.url),
  );
  let acknowledged = 0;
  try {
    const { series, skipped, recordsVerified } = await withPeersBeside(
      bench,
      'bulk',
      async ({ servers, service, skipped }) => {
        const load = async (server: BenchServer | 'one thread') => {
          if (server === 'one thread') return loadThread(thread, job);
          const result = await bench.driver.upload(server, job);
          if (server === service) acknowledged += result.answers;
          return result;
        };
        const results = await inTurns([...servers, 'one thread' as const], rounds, load);
        const series = [...results].map(([server, list]) =>
          uploadSeries(typeof server === 'string' ? server : server.name, list),
        );
        return { series, skipped };
      },
    );
    const title = `NDJSON batch of ${job.records.toLocaleString('en-US')} records`;
    const ratios = ratiosToPeers(series, targets.bulk);
    const measures = [{ title, unit: 'records/s', series, ratios }];
    return { measures, skipped, notes: [requireAll(acknowledged, recordsVerified)], charts: [] };
  } finally {
    await thread.kill();
  }
}

async function loadThread(
  thread: BenchProcess,
  job: { readonly records: number; readonly products: number },
): Promise<Loaded<UploadResult>> {
  const before = cpuSecondsOf([thread.pid]);
  thread.send(job);
  const result = (await thread.whileRunning(thread.message())) as UploadResult;
  return { ...result, serverCpuSeconds: cpuSecondsOf([thread.pid]) - before };
}
