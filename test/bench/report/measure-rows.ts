import type { Measure, Ratio, Series } from './measure.ts';
import { type Spread, spreadOf } from './statistics.ts';
import { isMet, presentTarget } from './targets.ts';

/** What stands above the cells of a measure; what only load has is left out where there was none. */
export function headOf({ title, unit, series }: Measure): readonly string[] {
  const head = [title, unit, 'min to max'];
  return series.some(({ load }) => load !== undefined) ? [...head, ...loadHead] : head;
}

const loadHead = ['p50 ms', 'p99 ms', 'p999 ms', 'server CPU', 'client CPU'];

/** A row for each subject, then one for each ratio; a row may have fewer cells than the head. */
export function rowsOf({ series, ratios }: Measure): readonly (readonly string[])[] {
  return [...series.map(seriesRow), ...ratios.map(ratioRow)];
}

function seriesRow({ subject, values, load }: Series): readonly string[] {
  const spread = spreadOf(values);
  const row = [subject, short(spread.median), rangeOf(spread)];
  if (load === undefined) return row;
  return [
    ...row,
    ...[load.p50Ms, load.p99Ms, load.p999Ms].map((ms) => (ms === undefined ? '' : short(ms))),
    `${short(load.serverCpuMicros)} µs`,
    `${Math.round(load.clientCpu * 100)} %`,
  ];
}

function ratioRow({ title, values, target }: Ratio): readonly string[] {
  const spread = spreadOf(values);
  const aim =
    target === undefined
      ? ''
      : ` (target ${presentTarget(target)}: ${isMet(target, values) ? 'met' : 'missed'})`;
  return [title + aim, short(spread.median), rangeOf(spread)];
}

function rangeOf({ min, max }: Spread): string {
  return `${short(min)} to ${short(max)}`;
}

/** Three digits or more, with commas between thousands. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
