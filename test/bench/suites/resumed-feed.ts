import type { Bench } from '../bench.ts';
import { startRepricer } from '../processes/repricer-server.ts';
import type { Measure } from '../report/measure.ts';
import type { MadeStore } from '../stores/made-stores.ts';
import { inTurns } from './in-turns.ts';

/** From the request for the feed after the record in the middle of the store to the first event. */
export async function measureResumedFeed(
  { driver, options }: Bench,
  stores: readonly MadeStore[],
): Promise<Measure> {
  const results = await inTurns(stores, options.rounds, async ({ directory, size }) => {
    const service = await startRepricer(directory);
    try {
      const { markerMs } = await driver.download(service, {
        path: `/api/stream?after=${Math.floor(size.records / 2)}`,
        ...{ accept: 'text/event-stream', seconds: 1, marker: 'event: price' },
      });
      await service.stop();
      return markerMs;
    } finally {
      await service.kill();
    }
  });
  const series = [...results].map(([{ name }, values]) => ({ subject: name, values }));
  return { title: 'feed resumed in the middle, first event', unit: 'ms', series, ratios: [] };
}
