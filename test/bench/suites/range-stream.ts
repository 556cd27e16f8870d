import type { Bench } from '../bench.ts';
import type { DownloadResult } from '../load/load-job.ts';
import type { BenchServer } from '../processes/bench-server.ts';
import type { Loaded } from '../processes/load-driver.ts';
import { startPeer } from '../processes/peer-server.ts';
import { startRepricer } from '../processes/repricer-server.ts';
import { type Measure, ratioOf } from '../report/measure.ts';
import { targets } from '../report/targets.ts';
import type { MadeStore } from '../stores/made-stores.ts';
import { inTurns } from './in-turns.ts';

const megabyte = 1e6;

/** All records of the largest store as NDJSON, beside plain copying of its journal through a socket. */
export async function measureRangeStream(
  { driver, options }: Bench,
  stores: readonly MadeStore[],
): Promise<Measure> {
  const directory = stores.at(-1)?.directory ?? '';
  const servers: BenchServer[] = [];
  try {
    servers.push(await startRepricer(directory));
    servers.push(await startPeer('cat of the journal', 'cat-files', [directory]));
    const results = await inTurns(servers, options.rounds, (server) =>
      driver.download(server, {
        ...{ path: '/api/query', accept: 'application/x-ndjson' },
        ...{ seconds: options.seconds, marker: '}\n' },
      }),
    );
    for (const server of servers) await server.stop();
    const series = [...results].map(([{ name }, list]) => bytesSeries(name, list));
    const [service, cat] = series;
    const ratios =
      service === undefined || cat === undefined
        ? []
        : [ratioOf(service, cat, targets.rangeStream)];
    return { title: 'all records as NDJSON', unit: 'MB/s', series, ratios };
  } finally {
    await Promise.all(servers.map((server) => server.kill()));
  }
}

function bytesSeries(subject: string, results: readonly Loaded<DownloadResult>[]) {
  const values = results.map(({ bytes, seconds }) => bytes / seconds / megabyte);
  return { subject, values };
}
