import type { Measure, Ratio, Series } from './measure.ts';
import { type Spread, spreadOf } from './statistics.ts';
import { isMet, presentTarget } from './targets.ts';

/** What stands above the cells of a measure. */
export function headOf({ title, unit }: Measure): readonly string[] {
  return [title, unit, 'min to max', 'p50 ms', 'p99 ms', 'p999 ms', 'server CPU', 'client CPU'];
}

/** A row for each subject, then one for each ratio; each has as many cells as the head. */
export function rowsOf({ series, ratios }: Measure): readonly (readonly string[])[] {
  return [...series.map(seriesRow), ...ratios.map(ratioRow)];
}

function seriesRow({ subject, values, load }: Series): readonly string[] {
  const spread = spreadOf(values);
  return [
    subject,
    short(spread.median),
    rangeOf(spread),
    ...[load?.p50Ms, load?.p99Ms, load?.p999Ms].map((ms) => (ms === undefined ? '' : short(ms))),
    load === undefined ? '' : `${short(load.serverCpuMicros)} µs`,
    load === undefined ? '' : `${Math.round(load.clientCpu * 100)} %`,
  ];
}

function ratioRow({ title, values, target }: Ratio): readonly string[] {
  const spread = spreadOf(values);
  const aim = target === undefined ? '' : `target ${presentTarget(target)}`;
  const word = target === undefined ? '' : isMet(target, values) ? 'met' : 'missed';
  return [title, short(spread.median), rangeOf(spread), aim, word, '', '', ''];
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
