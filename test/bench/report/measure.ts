import type { Target } from './targets.ts';

/** One thing that was measured of several subjects, one value a round. */
export interface Measure {
  readonly title: string;
  readonly unit: string;
  readonly series: readonly Series[];
  readonly ratios: readonly Ratio[];
}

export interface Series {
  readonly subject: string;
  /** By round, in the measure's unit. */
  readonly values: readonly number[];
  /** Medians over the rounds, of load only. */
  readonly load?: LoadDetails;
}

export interface LoadDetails {
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly p999Ms?: number;
  /** Processor time of the server, and of all that stands behind it, for each answer. */
  readonly serverCpuMicros: number;
  /** The load generator's own use of one CPU; near 1 it was the bottleneck. */
  readonly clientCpu: number;
}

/** One subject's value by another's in the same round. */
export interface Ratio {
  readonly title: string;
  readonly values: readonly number[];
  readonly target?: Target;
}

/** A chart as SVG, and the name of its file. */
export interface Chart {
  readonly name: string;
  readonly title: string;
  readonly svg: string;
}

/** Whom or what a suite could not measure, and why. */
export interface Skip {
  readonly subject: string;
  readonly reason: string;
}

/** What a suite found. */
export interface SuiteResult {
  readonly measures: readonly Measure[];
  readonly skipped: readonly Skip[];
  readonly notes: readonly string[];
  readonly charts: readonly Chart[];
}

export function presentSkip({ subject, reason }: Skip): string {
  return `${subject}: ${reason}`;
}

/** The ratio of two subjects of the same rounds. */
export function ratioOf(over: Series, under: Series, target?: Target): Ratio {
  return {
    title: `${over.subject} : ${under.subject}`,
    values: over.values.map((value, round) => value / (under.values[round] ?? Number.NaN)),
    ...(target !== undefined && { target }),
  };
}
