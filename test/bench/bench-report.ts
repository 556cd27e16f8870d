import type { LoadResult } from './load-job.ts';
import { type Spread, spreadOf } from './statistics.ts';

/** One round: the service and the bare frame, one right after the other. */
export interface Round {
  readonly service: LoadResult;
  readonly bare: LoadResult;
}

/** All rounds of one route, and what they come to. */
export interface Comparison {
  readonly title: string;
  readonly rounds: readonly Round[];
  readonly service: Summary;
  readonly bare: Summary;
  /** The service's requests per second by those of the bare frame, in the same round. */
  readonly ratio: Spread;
}

/** Medians over the rounds, and between which values the rates lie. */
export interface Summary {
  readonly requestsPerSecond: Spread;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly clientCpu: number;
}

/** Everything that a run found, and all that is needed to judge it. */
export interface BenchReport {
  readonly date: string;
  readonly node: string;
  readonly cpu: string;
  readonly fileSystem: string;
  readonly conditions: readonly string[];
  readonly comparisons: readonly Comparison[];
  /** Writes that were acknowledged, each of which was found in the journal. */
  readonly recordsVerified: number;
}

export function summarize(title: string, rounds: readonly Round[]): Comparison {
  return {
    title,
    rounds,
    service: summaryOf(rounds.map(({ service }) => service)),
    bare: summaryOf(rounds.map(({ bare }) => bare)),
    ratio: spreadOf(rounds.map(({ service, bare }) => rate(service) / rate(bare))),
  };
}

/** The report as a table for people. */
export function presentReport(report: BenchReport): string {
  const { date, node, cpu, fileSystem, conditions, recordsVerified } = report;
  return [
    `Repricer benchmark of ${date}, Node ${node}, ${cpu}, ${fileSystem}`,
    ...conditions,
    '',
    row('', 'requests/s', 'min..max', 'p50 ms', 'p99 ms', 'client CPU'),
    ...report.comparisons.flatMap(presentComparison),
    `${recordsVerified} writes were acknowledged, and the journal has exactly as many records.`,
    '',
  ].join('\n');
}

function presentComparison({ title, service, bare, ratio }: Comparison): readonly string[] {
  return [
    presentServer(title, service),
    presentServer('bare Koa', bare),
    row('  ratio, by round', ratio.median.toFixed(2), range(ratio, 2)),
    '',
  ];
}

function presentServer(name: string, summary: Summary): string {
  const { requestsPerSecond, p50Ms, p99Ms, clientCpu } = summary;
  return row(
    name,
    requestsPerSecond.median.toFixed(0),
    range(requestsPerSecond, 0),
    p50Ms.toFixed(2),
    p99Ms.toFixed(2),
    `${(clientCpu * 100).toFixed(0)} %`,
  );
}

function summaryOf(results: readonly LoadResult[]): Summary {
  const medianOf = (pick: (result: LoadResult) => number) => spreadOf(results.map(pick)).median;
  return {
    requestsPerSecond: spreadOf(results.map(rate)),
    p50Ms: medianOf(({ p50Ms }) => p50Ms),
    p99Ms: medianOf(({ p99Ms }) => p99Ms),
    clientCpu: medianOf(({ clientCpu }) => clientCpu),
  };
}

function rate({ answers, seconds }: LoadResult): number {
  return answers / seconds;
}

function range({ min, max }: Spread, digits: number): string {
  return `${min.toFixed(digits)}..${max.toFixed(digits)}`;
}

function row(name: string, ...cells: readonly string[]): string {
  const widths = [12, 16, 9, 9, 12];
  return name.padEnd(24) + cells.map((cell, index) => cell.padStart(widths[index] ?? 0)).join('');
}
