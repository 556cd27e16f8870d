import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BenchProcess } from './bench-process.ts';
import type { LoadJob, LoadReply, LoadResult } from './load-job.ts';
import { startRepricer } from './servers.ts';
import type { ReadersResult } from './stream-readers.ts';

/*
 * What subscribers of the feed cost the writers: rounds of writes without and with subscribers take
 * turns in one run, so that whatever else the machine does falls on both. After `npm run build`:
 * `node build/test/bench/stream-cost.js --rounds 3 --seconds 4 --streams 1000`.
 */

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    streams: { type: 'string', default: '1000' },
  },
});
const [rounds, seconds, streams] = [values.rounds, values.seconds, values.streams].map(Number);

const directory = await mkdtemp(join(tmpdir(), 'repricer-stream-cost-'));
const { process: service, port } = await startRepricer(directory, join(directory, 'log'));
const generator = BenchProcess.start('the load', new URL('./load-generator.js', import.meta.url));
const readers = BenchProcess.start('the readers', new URL('./stream-readers.js', import.meta.url));

const writes = { without: 0, with: 0 };
try {
  await load(true);
  for (let round = 1; round <= (rounds ?? 0); round += 1) {
    const quiet = await load(false);
    await subscribe(streams ?? 0);
    const fed = await load(false);
    const { bytes, events } = await subscribe(0);
    writes.without += quiet.answers / quiet.seconds;
    writes.with += fed.answers / fed.seconds;
    print(`round ${round} without: ${present(quiet)}`);
    print(`round ${round} with ${streams}: ${present(fed)}`);
    print(`  ${events} events on one stream, ${Math.round(bytes / fed.seconds / 1e6)} MB/s on all`);
  }
  print(
    `writes with ${streams} subscribers / without: ${(writes.with / writes.without).toFixed(3)}`,
  );
} finally {
  await Promise.all([generator.kill(), readers.kill()]);
  await service.stop();
  await rm(directory, { recursive: true });
}
process.exit();

async function load(isWarmUp: boolean): Promise<LoadResult> {
  const job: LoadJob = {
    ...{ port, route: 'reprice', connections: 50, products: 1000 },
    ...{ seconds: seconds ?? 0, isWarmUp },
  };
  generator.send(job);
  const reply = (await generator.message()) as LoadReply;
  if ('problem' in reply) throw new Error(reply.problem);
  return reply.result;
}

async function subscribe(count: number): Promise<ReadersResult> {
  readers.send({ port, streams: count });
  return (await readers.message()) as ReadersResult;
}

function present({ answers, seconds: took, p50Ms, p99Ms, badStatuses }: LoadResult): string {
  const bad = JSON.stringify(badStatuses);
  return `${Math.round(answers / took)} writes/s, p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, bad ${bad}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
