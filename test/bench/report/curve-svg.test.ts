import test from 'ava';
import { drawCurves } from './curve-svg.ts';

const chart = { title: 'growth', xLabel: 'records', yLabel: 'times', ticks: [10, 1000] };

test('equal steps on the x axis are equal factors, and the y axis begins at 0', (t) => {
  const points = [10, 100, 1000].map((x, index) => ({ x, y: index }));

  const svg = drawCurves({ ...chart, curves: [{ name: 'pages', points }] });

  // From 70 to 480 and from 340 at 0 to 50 at the top, which is 2 here.
  t.true(svg.includes('points="70.0,340.0 275.0,195.0 480.0,50.0"'));
});

test('names are text and never markup', (t) => {
  const curves = [{ name: 'a<b & c', points: [{ x: 10, y: 1 }] }];
  const svg = drawCurves({ ...chart, title: 'a<d', curves });

  t.true(svg.includes('<title>a&lt;d</title>'));
  t.true(svg.includes('>a&lt;b &amp; c</text>'));
});
