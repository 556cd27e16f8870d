import { join } from 'node:path';
import { Shim } from '../../crash/shim.ts';
import { lackOf } from '../../support/needs.ts';
import type { Bench } from '../bench.ts';
import type { LoadResult } from '../load/load-job.ts';
import type { Loaded } from '../processes/load-driver.ts';
import { type RepricerServer, startRepricer } from '../processes/repricer-server.ts';
import { drawCurves } from '../report/curve-svg.ts';
import type { Chart, Measure, SuiteResult } from '../report/measure.ts';
import { spreadOf } from '../report/statistics.ts';
import { inTurns } from './in-turns.ts';
import { requestSeries } from './load-series.ts';

const delaysMs = [0, 2, 5];
const queueMaxes = [50, 200, 1000];
const connectionCounts = [50, 200, 1000];

/** A service with a queue bound, and so many connections that want to write. */
interface Cell {
  readonly queueMax: number;
  readonly connections: number;
  readonly service: RepricerServer;
}

/** Durable reprices with a delay added to each sync, by queue bound and connections. */
export async function measureSlowDisk(bench: Bench): Promise<SuiteResult> {
  const lack = lackOf('compiler');
  if (lack !== undefined) {
    const skipped = [{ subject: 'slow', reason: lack }];
    return { measures: [], skipped, notes: [], charts: [] };
  }
  const shim = Shim.compile(bench.directory);
  const found: { readonly measures: readonly Measure[]; readonly charts: readonly Chart[] }[] = [];
  for (const delayMs of delaysMs) found.push(await measureDelay(bench, shim, delayMs));
  return {
    measures: found.flatMap(({ measures }) => measures),
    charts: found.flatMap(({ charts }) => charts),
    skipped: [],
    notes: [
      'A client that is refused (503) asks again at once: the worst that an overload does. Latencies are those of the writes that were taken, and processor time is that of all answers by the writes that were taken.',
    ],
  };
}

async function measureDelay(bench: Bench, shim: Shim, delayMs: number) {
  const directory = join(bench.directory, `slow-${delayMs}`);
  const plan = shim.plan({ operations: ['fdatasync'], path: `${directory}-`, delayMs });
  const services: RepricerServer[] = [];
  try {
    const cells: Cell[] = [];
    for (const queueMax of queueMaxes) {
      const service = await startRepricer(`${directory}-${queueMax}`, {
        flags: ['--queue-max', String(queueMax)],
        ...(delayMs > 0 && plan.surroundings.env !== undefined && { env: plan.surroundings.env }),
      });
      service.process.pause();
      services.push(service);
      cells.push(...connectionCounts.map((connections) => ({ queueMax, connections, service })));
    }
    plan.arm(1);
    const results = await inTurns(cells, bench.options.rounds, (cell) => load(bench, cell));
    plan.disarm();
    for (const service of services) await service.stop();
    return present(delayMs, results);
  } finally {
    await Promise.all(services.map((service) => service.kill()));
    plan.close();
  }
}

function load({ driver, options }: Bench, { connections, service }: Cell) {
  const { seconds, products } = options;
  const requests = { route: 'reprice', products } as const;
  const job = { requests, connections, seconds, sendsAll: false, mayRefuse: true };
  return driver.request(service, job);
}

function present(
  delayMs: number,
  results: ReadonlyMap<Cell, readonly Loaded<LoadResult>[]>,
): { readonly measures: readonly Measure[]; readonly charts: readonly Chart[] } {
  const title = `durable reprice, ${delayMs} ms added to each sync`;
  const unit = 'writes/s';
  const nameOf = ({ queueMax, connections }: Cell) =>
    `queueMax ${queueMax}, ${connections} connections`;
  const taken = [...results].map(([cell, list]) => requestSeries(nameOf(cell), list));
  const refused = [...results]
    .filter(([{ queueMax, connections }]) => connections > queueMax)
    .map(([cell, list]) => ({
      subject: nameOf(cell),
      values: list.map((one) => (100 * one.refused) / (one.refused + one.answers)),
    }));
  const curves = queueMaxes.map((queueMax) => ({
    name: `queueMax ${queueMax}`,
    points: [...results]
      .filter(([cell]) => cell.queueMax === queueMax)
      .map(([{ connections }, list]) => ({
        x: connections,
        y: spreadOf(list.map(({ answers, seconds }) => answers / seconds)).median,
      })),
  }));
  const axes = {
    xLabel: 'connections',
    yLabel: 'durable writes a second',
    ticks: connectionCounts,
  };
  return {
    measures: [
      { title, unit, series: taken, ratios: [] },
      { title: `refused, ${delayMs} ms`, unit: '% of answers', series: refused, ratios: [] },
    ],
    charts: [
      { name: `slow-disk-${delayMs}ms.svg`, title, svg: drawCurves({ title, ...axes, curves }) },
    ],
  };
}
