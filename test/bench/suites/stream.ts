import type { Bench } from '../bench.ts';
import type { Measure, SuiteResult } from '../report/measure.ts';
import { drawGrowth } from './growth-chart.ts';
import { measureRangeStream } from './range-stream.ts';
import { measureResumedFeed } from './resumed-feed.ts';
import { measureSubscribers } from './subscribers.ts';

/** A range as a stream, the feed resumed in the middle of a store, and what subscribers cost writers. */
export async function measureStreams(bench: Bench): Promise<SuiteResult> {
  const stores = await bench.stores();
  const resumed = await measureResumedFeed(bench, stores);
  const measures: readonly Measure[] = [
    await measureRangeStream(bench, stores),
    resumed,
    await measureSubscribers(bench),
  ];
  return { measures, skipped: [], notes: [], charts: drawGrowth('stream', stores, [resumed]) };
}
