import type { SuiteName } from '../bench-options.ts';
import type { SuiteResult } from './measure.ts';

/** Everything that a run found, and all that is needed to judge it. */
export interface Report {
  readonly date: string;
  readonly node: string;
  readonly machine: string;
  readonly fileSystem: string;
  readonly conditions: string;
  readonly suites: Readonly<Partial<Record<SuiteName, SuiteResult>>>;
}

/** A line that says when and where, for people. */
export function presentConditions(report: Report): string {
  const { date, node, machine, fileSystem, conditions } = report;
  return `${date.slice(0, 10)}, Node ${node}, ${machine}, ${fileSystem}; ${conditions}`;
}
