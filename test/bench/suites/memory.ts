import { fileURLToPath } from 'node:url';
import type { Bench } from '../bench.ts';
import { type RepricerServer, startRepricer } from '../processes/repricer-server.ts';
import { ratioOf, type Series, type SuiteResult } from '../report/measure.ts';
import { targets } from '../report/targets.ts';
import { madeProduct } from '../stores/made-record.ts';
import type { MadeStore } from '../stores/made-stores.ts';
import { drawGrowth } from './growth-chart.ts';
import { inTurns } from './in-turns.ts';

/** The same cache in every store, smaller than what is read of the larger ones. */
const lastPricesMax = 10_000;
const readsMax = 20_000;
const mebibyte = 1 << 20;

interface Memory {
  readonly heapAtStart: number;
  readonly heapFull: number;
  readonly residentFull: number;
}

/** Memory after a start, and with the cache of last prices full, garbage collected before each look. */
export async function measureMemory(bench: Bench): Promise<SuiteResult> {
  const stores = await bench.stores();
  const results = await inTurns(stores, bench.options.rounds, (store) => memoryOn(bench, store));
  const seriesOf = (pick: (memory: Memory) => number): readonly Series[] =>
    [...results].map(([{ name }, list]) => ({
      subject: name,
      values: list.map((memory) => pick(memory) / mebibyte),
    }));
  const heapFull = seriesOf((memory) => memory.heapFull);
  const [before, largest] = heapFull.slice(-2);
  const ratios =
    before === undefined || largest === undefined ? [] : [ratioOf(largest, before, targets.heap)];
  const unit = 'MiB';
  const measures = [
    { title: 'heap after a start', unit, series: seriesOf((one) => one.heapAtStart), ratios: [] },
    { title: 'heap with a full cache', unit, series: heapFull, ratios },
    {
      title: 'resident, cache full',
      unit,
      series: seriesOf((one) => one.residentFull),
      ratios: [],
    },
  ];
  return { measures, skipped: [], notes: [], charts: drawGrowth('memory', stores, measures) };
}

async function memoryOn(bench: Bench, { directory, size }: MadeStore): Promise<Memory> {
  const probe = fileURLToPath(new URL('../processes/memory-probe.js', import.meta.url));
  const service = await startRepricer(directory, {
    flags: ['--last-prices-max', String(lastPricesMax)],
    execArgv: ['--expose-gc', '--import', probe],
  });
  try {
    const atStart = await usageOf(service);
    const paths = Array.from({ length: Math.min(size.products, readsMax) }, (_, index) => {
      return `/api/product/${madeProduct(index)}/price`;
    });
    const requests = { route: 'get', paths } as const;
    const job = { requests, connections: 10, seconds: 0, sendsAll: true, mayRefuse: false };
    await bench.driver.request(service, job);
    service.process.resume();
    const full = await usageOf(service);
    await service.stop();
    return {
      heapAtStart: atStart.heapUsed,
      heapFull: full.heapUsed,
      residentFull: full.rss,
    };
  } finally {
    await service.kill();
  }
}

async function usageOf({ process }: RepricerServer): Promise<NodeJS.MemoryUsage> {
  process.send({});
  return (await process.whileRunning(process.message())) as NodeJS.MemoryUsage;
}
