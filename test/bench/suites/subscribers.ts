import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import type { ReadersResult } from '../load/stream-readers.ts';
import { BenchProcess } from '../processes/bench-process.ts';
import { startRepricer } from '../processes/repricer-server.ts';
import { type Measure, ratioOf } from '../report/measure.ts';
import { inTurns } from './in-turns.ts';
import { requestSeries } from './load-series.ts';

const subscribers = 1000;
const connections = 50;

/** Durable reprices with a thousand subscribers of the feed, and without any. */
export async function measureSubscribers({ driver, options, directory }: Bench): Promise<Measure> {
  const { rounds, seconds, products } = options;
  const service = await startRepricer(join(directory, 'subscribers'));
  const readers = BenchProcess.start(
    'the readers',
    new URL('../load/stream-readers.js', import.meta.url),
  );
  const subscribe = async (streams: number) => {
    service.process.resume();
    readers.send({ port: service.port, streams });
    return (await readers.whileRunning(readers.message())) as ReadersResult;
  };
  try {
    const results = await inTurns([subscribers, 0], rounds, async (streams) => {
      await subscribe(streams);
      const requests = { route: 'reprice', products } as const;
      const job = { requests, connections, seconds, sendsAll: false, mayRefuse: false };
      const result = await driver.request(service, job);
      await subscribe(0);
      return result;
    });
    await service.stop();
    const series = [...results].map(([streams, list]) =>
      requestSeries(streams === 0 ? 'no subscribers' : `${streams} subscribers`, list),
    );
    const [fed, quiet] = series;
    const ratios = fed === undefined || quiet === undefined ? [] : [ratioOf(fed, quiet)];
    return { title: 'durable reprice beside the feed', unit: 'requests/s', series, ratios };
  } finally {
    await readers.kill();
    await service.kill();
  }
}
