import test from 'ava';
import { parseBenchOptions, suiteNames } from './bench-options.ts';

test('without names all suites are measured, and with names those, in their usual order', (t) => {
  t.deepEqual(parseBenchOptions([]).suites, suiteNames);
  t.deepEqual(parseBenchOptions(['read', 'write', '--check']).suites, ['write', 'read']);
});

test('lists of connections and of store sizes are read', (t) => {
  const options = parseBenchOptions(['--connections', '1,50', '--sizes', '100/10,4/2']);

  t.deepEqual(options.connections, [1, 50]);
  t.deepEqual(options.sizes, [
    { records: 100, products: 10 },
    { records: 4, products: 2 },
  ]);
});

test('a window has 200,000 products unless it is told otherwise', (t) => {
  t.is(parseBenchOptions(['tail']).windowProducts, 200_000);
  t.is(parseBenchOptions(['tail', '--window-products', '500']).windowProducts, 500);
});

for (const argv of [
  ['writes'],
  ['--rounds', '0'],
  ['--seconds', '61'],
  ['--connections', '50,'],
  ['--window-products', '0'],
  ['--sizes', '100'],
  ['--sizes', '10/6'],
  ['--colour', 'red'],
]) {
  test(`${argv.join(' ')} is refused`, (t) => {
    t.throws(() => parseBenchOptions(argv));
  });
}
