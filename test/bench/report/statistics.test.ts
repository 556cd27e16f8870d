import test from 'ava';
import { quantile, spreadOf } from './statistics.ts';

test('the median of an even number of values lies halfway between the two in the middle', (t) => {
  const spread = spreadOf([4, 1, 3, 2]);

  t.deepEqual(spread, { median: 2.5, min: 1, max: 4 });
});

test('the median of an odd number of values is the one in the middle', (t) => {
  const spread = spreadOf([9, 1, 5]);

  t.deepEqual(spread, { median: 5, min: 1, max: 9 });
});

test('a quantile is the value below which that part of all values lies', (t) => {
  const values = Array.from({ length: 1000 }, (_, index) => index);

  const quantiles = [0.5, 0.99, 0.999, 1].map((part) => quantile(values, part));

  t.deepEqual(quantiles, [500, 990, 999, 999]);
});
