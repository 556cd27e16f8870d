import { drawCurves } from '../report/curve-svg.ts';
import type { Chart, Measure } from '../report/measure.ts';
import { spreadOf } from '../report/statistics.ts';
import type { MadeStore } from '../stores/made-stores.ts';

/**
 * Each measure of stores of several sizes as a curve: the median as a multiple of that of the smallest
 * store. What does not grow with the store stays at 1.
 */
export function drawGrowth(
  suite: string,
  stores: readonly MadeStore[],
  measures: readonly Measure[],
): readonly Chart[] {
  if (stores.length < 2) return [];
  const records = stores.map(({ size }) => size.records);
  const title = `${suite}, by the records in the store`;
  const svg = drawCurves({
    title,
    xLabel: 'records',
    yLabel: 'times the value of the smallest store',
    ticks: records,
    curves: measures.map(({ title: name, series }) => {
      const medians = series.map(({ values }) => spreadOf(values).median);
      const first = medians[0] ?? Number.NaN;
      return {
        name,
        points: medians.map((median, index) => ({ x: records[index] ?? 1, y: median / first })),
      };
    }),
  });
  return [{ name: `growth-${suite}.svg`, title, svg }];
}
