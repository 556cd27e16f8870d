import { parseArgs } from 'node:util';
import { parseStoreSize, type StoreSize } from './stores/store-size.ts';

/** What can be measured, in the order in which it is. */
export const suiteNames = [
  'write',
  'read',
  'bulk',
  'start',
  'memory',
  'query',
  'stream',
  'slow',
  'tail',
] as const;

export type SuiteName = (typeof suiteNames)[number];

export interface BenchOptions {
  readonly suites: readonly SuiteName[];
  /** How often each subject is measured; the figures are medians of these. */
  readonly rounds: number;
  /** The length of one stretch of load. */
  readonly seconds: number;
  /** Numbers of connections, each measured on its own. */
  readonly connections: readonly number[];
  readonly products: number;
  /** That wait for their files at once in `tail`. */
  readonly windowProducts: number;
  /** Of the stores that growth is measured with, smallest first. */
  readonly sizes: readonly StoreSize[];
  /** Whether the kernel's page cache is emptied before cold reads; needs root. */
  readonly dropCaches: boolean;
  /** Where the report is kept as JSON. */
  readonly json: string | undefined;
  /** Whether missed targets make the exit code 1. */
  readonly check: boolean;
  /** Whether the tables and charts of docs/performance.md are replaced. */
  readonly writeDocs: boolean;
}

export const benchUsage = `Usage: npm run bench -- [suite …] [flags]

Suites, all of them unless some are named:
  write    durable reprices beside bare Koa, SQLite, PostgreSQL and Redis
  read     the current price beside the same
  bulk     NDJSON batches beside the same and what one thread can do
  start    start-up after a clean stop, by the size of the store
  memory   heap and resident memory, by the size of the store
  query    prices warm and cold, and pages at start, middle and end, by the size of the store
  stream   a range as NDJSON beside plain copying; the feed resumed in the middle; its cost to writers
  slow     queue bounds and connections with 0, 2 and 5 ms added to each sync
  tail     reprices at a fixed rate while very many product files are written, and while none are

  --rounds N           1 to 50, how often each is measured (5)
  --seconds N          1 to 60, the length of one stretch of load (2)
  --connections N,…    1 to 1000 each (50,200)
  --products N         1 to 1000000 (1000)
  --window-products N  1 to 1000000, whose files are written meanwhile in tail (200000)
  --sizes R/P,…        records and products of the stores, smallest first
                       (10000/1000,1000000/100000,10000000/1000000)
  --drop-caches        empties the page cache of the whole machine before cold reads; needs root
  --json FILE          keeps the report
  --check              exits with 1 when a ratio misses its target
  --write-docs         puts tables and charts into docs/performance.md

The data lies under TMPDIR, which must be on a disk; the stores of the default sizes need 12 GB there.
`;

/** Throws an error with the broken rule. */
export function parseBenchOptions(argv: readonly string[]): BenchOptions {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      ...{ rounds: text, seconds: text, connections: text, products: text, sizes: text },
      'window-products': text,
      ...{ json: text, check: flag, 'write-docs': flag, 'drop-caches': flag },
    },
  });
  const sizes = values.sizes ?? '10000/1000,1000000/100000,10000000/1000000';
  return {
    suites: suitesOf(positionals),
    rounds: integer('rounds', values.rounds ?? '5', 50),
    seconds: integer('seconds', values.seconds ?? '2', 60),
    connections: (values.connections ?? '50,200')
      .split(',')
      .map((number) => integer('connections', number, 1000)),
    products: integer('products', values.products ?? '1000', 1_000_000),
    windowProducts: integer('window-products', values['window-products'] ?? '200000', 1_000_000),
    sizes: sizes.split(',').map(parseStoreSize),
    dropCaches: values['drop-caches'],
    json: values.json,
    check: values.check,
    writeDocs: values['write-docs'],
  };
}

function suitesOf(words: readonly string[]): readonly SuiteName[] {
  const unknown = words.find((word) => !suiteNames.some((name) => name === word));
  if (unknown !== undefined) throw new Error(`${JSON.stringify(unknown)} is not a suite`);
  return suiteNames.filter((name) => words.length === 0 || words.includes(name));
}

function integer(name: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new Error(`--${name} must be a whole number from 1 to ${max}`);
}
