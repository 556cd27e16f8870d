import { writeFile } from 'node:fs/promises';
import type { Bench } from '../bench.ts';
import { type RepricerServer, startRepricer } from '../processes/repricer-server.ts';
import { type Measure, ratioOf, type SuiteResult } from '../report/measure.ts';
import { targets } from '../report/targets.ts';
import { longProduct, madeProduct } from '../stores/made-record.ts';
import type { MadeStore } from '../stores/made-stores.ts';
import { drawGrowth } from './growth-chart.ts';
import { inTurns } from './in-turns.ts';

const pageSize = 25;
/** Products whose price is read cold: each once after a start. */
const coldReads = 1000;
const places = ['start', 'middle', 'end'] as const;

interface Question {
  readonly title: string;
  /** In a store; with more than one path each is asked once. */
  readonly paths: (store: MadeStore) => readonly string[];
  readonly isAskedOnce: boolean;
}

const questions: readonly Question[] = [
  // The cold ones are the first, as a price is cold only once.
  { title: 'GET price, cold', paths: pricePaths, isAskedOnce: true },
  { title: 'GET price, warm', paths: pricePaths, isAskedOnce: false },
  ...places.map((place) => ({
    title: `page of a product, ${place}`,
    paths: ({ size }: MadeStore) => [
      `${pagePath(place, size.records / 2)}&productId=${longProduct}`,
    ],
    isAskedOnce: false,
  })),
  ...places.map((place) => ({
    title: `page of all, ${place}`,
    paths: ({ size }: MadeStore) => [pagePath(place, size.records)],
    isAskedOnce: false,
  })),
];

/** How long one reader waits for a price or a page, by the size of the store. */
export async function measureQueries(bench: Bench): Promise<SuiteResult> {
  const stores = await bench.stores();
  const { rounds, dropCaches } = bench.options;
  const results = await inTurns(stores, rounds, (store) => askAll(bench, store));
  const measures = questions.map(({ title }, index): Measure => {
    const series = [...results].map(([{ name }, list]) => ({
      subject: name,
      values: list.map((medians) => medians[index] ?? Number.NaN),
    }));
    const [smallest, largest] = [series.at(0), series.at(-1)];
    const isAimedAt = title === 'page of all, middle' || title === 'page of a product, middle';
    const ratios =
      smallest === undefined || largest === undefined || smallest === largest
        ? []
        : [ratioOf(largest, smallest, isAimedAt ? targets.pageInTheMiddle : undefined)];
    return { title, unit: 'ms', series, ratios };
  });
  const cold = dropCaches
    ? 'Cold: after a start, with the page cache of the machine empty.'
    : 'Cold: after a start; the page cache of the machine was left as it was (--drop-caches empties it).';
  return { measures, skipped: [], notes: [cold], charts: drawGrowth('query', stores, measures) };
}

/** The median of each question in turn. */
async function askAll(bench: Bench, store: MadeStore): Promise<readonly number[]> {
  if (bench.options.dropCaches) await writeFile('/proc/sys/vm/drop_caches', '3');
  const service = await startRepricer(store.directory);
  try {
    const medians: number[] = [];
    for (const question of questions) medians.push(await ask(bench, service, store, question));
    service.process.resume();
    await service.stop();
    return medians;
  } finally {
    await service.kill();
  }
}

async function ask(
  { driver, options }: Bench,
  service: RepricerServer,
  store: MadeStore,
  { paths, isAskedOnce }: Question,
): Promise<number> {
  const requests = { route: 'get', paths: paths(store) } as const;
  const seconds = isAskedOnce ? 0 : options.seconds / questions.length;
  const job = { requests, connections: 1, seconds, sendsAll: isAskedOnce, mayRefuse: false };
  return (await driver.request(service, job)).p50Ms;
}

/** Of products that lie far apart in the store. */
function pricePaths({ size }: MadeStore): readonly string[] {
  const count = Math.min(coldReads, size.products);
  const step = Math.floor(size.products / count);
  return Array.from({ length: count }, (_, index) => {
    return `/api/product/${madeProduct(index * step)}/price`;
  });
}

function pagePath(place: (typeof places)[number], records: number): string {
  const last = Math.max(1, Math.floor(records / pageSize));
  const pageNumber = { start: 1, middle: Math.ceil(last / 2), end: last }[place];
  return `/api/query?pageSize=${pageSize}&pageNumber=${pageNumber}`;
}
