import type { Bench } from '../bench.ts';
import { startRepricer } from '../processes/repricer-server.ts';
import { ratioOf, type SuiteResult } from '../report/measure.ts';
import { targets } from '../report/targets.ts';
import { drawGrowth } from './growth-chart.ts';
import { inTurns } from './in-turns.ts';

/** From the start of the process until it is ready, on stores that were left by a clean stop. */
export async function measureStart(bench: Bench): Promise<SuiteResult> {
  const stores = await bench.stores();
  const results = await inTurns(stores, bench.options.rounds, async ({ directory }) => {
    const service = await startRepricer(directory);
    try {
      await service.stop();
    } finally {
      await service.kill();
    }
    return service.startMs;
  });
  const series = [...results].map(([{ name }, values]) => ({ subject: name, values }));
  const [smallest, largest] = [series.at(0), series.at(-1)];
  const ratios =
    smallest === undefined || largest === undefined || smallest === largest
      ? []
      : [ratioOf(largest, smallest, targets.startUp)];
  const measures = [{ title: 'start-up after a clean stop', unit: 'ms', series, ratios }];
  return { measures, skipped: [], notes: [], charts: drawGrowth('start', stores, measures) };
}
