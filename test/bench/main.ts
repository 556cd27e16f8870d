import { writeFile } from 'node:fs/promises';
import { benchUsage, parseBenchOptions } from './bench-options.ts';
import { runBenchmark } from './benchmark.ts';
import { missedTargets } from './report/targets.ts';
import { presentText } from './report/text-table.ts';
import { writeDocs } from './report/write-docs.ts';

/*
 * `npm run bench`: prints figures for people to judge. It fails on wrong answers, and on slow ones
 * only when it is asked to, with `--check`.
 */

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => interrupt.abort(new Error(`stopped by ${signal}`)));
}
process.exit(await run(process.argv.slice(2)));

async function run(argv: readonly string[]): Promise<number> {
  try {
    if (argv.includes('--help')) {
      process.stdout.write(benchUsage);
      return 0;
    }
    const options = parseBenchOptions(argv);
    const report = await runBenchmark(options, interrupt.signal);
    process.stdout.write(presentText(report));
    if (options.json !== undefined) {
      await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
    }
    if (options.writeDocs) await writeDocs(report);
    const missed = options.check ? missedTargets(report.suites) : [];
    for (const sentence of missed) process.stderr.write(`MISSED ${sentence}\n`);
    return missed.length === 0 ? 0 : 1;
  } catch (error) {
    const isStopped = interrupt.signal.aborted || !(error instanceof Error);
    process.stderr.write(`${isStopped ? String(error) : error.stack}\n`);
    return 1;
  }
}
