import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** How often each server is measured; the figures are medians of these. */
  readonly rounds: number;
  /** The length of one stretch of load. */
  readonly seconds: number;
  readonly connections: number;
  readonly products: number;
  /** Where the report is kept as JSON. */
  readonly json: string | undefined;
}

export const benchUsage = `Usage: npm run bench -- [flags]

  --rounds N        1 to 50, how often each server is measured (7)
  --seconds N       1 to 60, the length of one stretch of load (2)
  --connections N   1 to 50, as the service's default queue takes no more (50)
  --products N      1 to 1000000 (1000)
  --json FILE       keeps the report

The defaults take about 75 seconds: 4 stretches a round, and as many before the first to warm up.
`;

/** Throws an error with the broken rule. */
export function parseBenchOptions(argv: readonly string[]): BenchOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: { rounds: text, seconds: text, connections: text, products: text, json: text },
  });
  return {
    rounds: integer('rounds', values.rounds ?? '7', 50),
    seconds: integer('seconds', values.seconds ?? '2', 60),
    connections: integer('connections', values.connections ?? '50', 50),
    products: integer('products', values.products ?? '1000', 1_000_000),
    json: values.json,
  };
}

function integer(name: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new Error(`--${name} must be a whole number from 1 to ${max}`);
}
