import test from 'ava';
import type { Measure } from './measure.ts';
import { headOf, rowsOf, short } from './measure-rows.ts';

const load = { p50Ms: 1.234, p99Ms: 12.34, p999Ms: 123.4, serverCpuMicros: 88, clientCpu: 0.16 };
const service = { subject: 'Repricer', values: [1000, 3000, 2000], load };
const ratio = { title: 'Repricer : bare Koa', values: [0.5], target: { atLeast: 1.3 } };
const measure: Measure = { title: 'reprice', unit: '1/s', series: [service], ratios: [ratio] };

test('a row has the median, the range, the latencies and what the answer cost', (t) => {
  const [row] = rowsOf(measure);

  const cells = ['2,000', '1,000 to 3,000', '1.23', '12.3', '123', '88.0 µs', '16 %'];
  t.deepEqual(row, ['Repricer', ...cells]);
  t.is(row?.length, headOf(measure).length);
});

test('a ratio stands below with its target, and says whether it is met', (t) => {
  const [, row] = rowsOf(measure);

  t.deepEqual(row, ['Repricer : bare Koa (target ≥ 1.3: missed)', '0.50', '0.50 to 0.50']);
});

test('a measure without load has no columns for what only load has', (t) => {
  const start = { ...measure, series: [{ subject: 'Repricer', values: [300] }] };

  t.deepEqual(headOf(start), ['reprice', '1/s', 'min to max']);
  t.deepEqual(rowsOf(start)[0], ['Repricer', '300', '300 to 300']);
});

test('a value has at least three digits, and one that is none is a dash', (t) => {
  t.deepEqual([0.5, 12.34, 1234567.8, Number.NaN].map(short), ['0.50', '12.3', '1,234,568', '-']);
});
