import { writeFile } from 'node:fs/promises';
import { type BenchOptions, benchUsage, parseBenchOptions } from './bench-options.ts';
import { presentReport } from './bench-report.ts';
import { runBenchmark } from './benchmark.ts';

/* `npm run bench`: prints figures for people to judge. It fails on wrong answers and never on slow ones. */

/** How much longer than its stretches of load a run may take for starting, stopping and checking. */
const overheadMsMax = 60_000;

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => interrupt.abort(signal));
}
process.exit(await run(process.argv.slice(2)));

async function run(argv: readonly string[]): Promise<number> {
  try {
    if (argv.includes('--help')) {
      process.stdout.write(benchUsage);
      return 0;
    }
    const options = parseBenchOptions(argv);
    const deadline = AbortSignal.timeout(stretchesMs(options) * 1.5 + overheadMsMax);
    const report = await runBenchmark(options, AbortSignal.any([interrupt.signal, deadline]));
    process.stdout.write(presentReport(report));
    if (options.json !== undefined) {
      await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
    }
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

/** Two routes, two servers, and a round more to warm up. */
function stretchesMs({ rounds, seconds }: BenchOptions): number {
  return 2 * 2 * (rounds + 1) * seconds * 1000;
}
