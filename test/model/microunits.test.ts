import test from 'ava';
import { divideHalfEven } from '../../src/model/divide-half-even.ts';
import { formatMicrounits, toMicrounits } from '../../src/model/microunits.ts';
import { price } from '../support/records.ts';

test('a price of any number of digits is an exact number of millionths', (t) => {
  const texts = ['3', '3.5', '3.50', '0.000001', '999999999999.999999', '10.25'];

  const microunits = texts.map((text) => toMicrounits(price(text)));

  t.deepEqual(microunits, [
    3_000_000n,
    3_500_000n,
    3_500_000n,
    1n,
    999_999_999_999_999_999n,
    10_250_000n,
  ]);
});

test('millionths are written with all six fraction digits', (t) => {
  t.deepEqual([0n, 1n, 3_500_000n, 999_999_999_999_999_999n].map(formatMicrounits), [
    '0.000000',
    '0.000001',
    '3.500000',
    '999999999999.999999',
  ]);
});

test('a quotient is rounded to the nearest whole number, and a half to the even one', (t) => {
  const dividends = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 9n, 10n, 11n, 14n];

  t.deepEqual(
    dividends.map((dividend) => divideHalfEven(dividend, 4n)),
    [0n, 0n, 0n, 1n, 1n, 1n, 2n, 2n, 2n, 2n, 3n, 4n],
  );
  t.is(divideHalfEven(5n, 3n), 2n);
  t.is(divideHalfEven(4n, 3n), 1n);
});
