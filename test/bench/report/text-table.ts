import { presentSkip, type SuiteResult } from './measure.ts';
import { headOf, rowsOf } from './measure-rows.ts';
import { presentConditions, type Report } from './report.ts';

/** The report as tables for people at a terminal. */
export function presentText(report: Report): string {
  const suites = Object.entries(report.suites);
  const blocks = suites.map(([name, result]) => presentSuite(name, result));
  return [`Repricer benchmark of ${presentConditions(report)}`, ...blocks, ''].join('\n\n');
}

function presentSuite(name: string, { measures, skipped, notes }: SuiteResult): string {
  const tables = measures.map((measure) => table([headOf(measure), ...rowsOf(measure)]));
  const skips = skipped.map((skip) => `SKIPPED: ${presentSkip(skip)}`);
  return [`== ${name}`, ...tables, ...skips, ...notes].join('\n\n');
}

/** The first column to the left, all others to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
