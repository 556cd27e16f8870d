import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { lackOf } from '../support/needs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { testUnless } from '../support/test-unless.ts';
import { requirePromtool } from './alert-rules.ts';
import {
  type DashboardPanel,
  expressionsOf,
  parseDashboard,
  readDashboardText,
} from './dashboard.ts';

test('the dashboard asks the questions of whoever is on call, in their order', async (t) => {
  const { panels } = parseDashboard(await readDashboardText());

  t.deepEqual(
    panels.filter(({ type }) => type === 'row').map(({ title }) => title),
    [
      'Is it up?',
      'Are writes durable, and fast?',
      'Is the queue filling?',
      'Is the disk filling?',
      'Is aggregation behind?',
      'What is refused, and why?',
      'Is anything damaged?',
      'Who subscribes?',
      'Who asks for what?',
      'What does it use?',
    ],
  );
});

test('no two panels have one id or one place, and none reaches over the edge', async (t) => {
  const { panels } = parseDashboard(await readDashboardText());

  t.is(new Set(panels.map(({ id }) => id)).size, panels.length);
  for (const panel of panels) {
    t.true(panel.gridPos.x + panel.gridPos.w <= 24, panel.title);
    const others = panels.filter((other) => other !== panel && overlap(panel, other));
    t.deepEqual(
      others.map(({ title }) => title),
      [],
      panel.title,
    );
  }
});

test('a dashboard with a mistake is told from a good one', async (t) => {
  const good = await readDashboardText();
  const planted: readonly (readonly [good: string, bad: string])[] = [
    ['"gridPos"', '"gridpos"'],
    ['"timeseries"', '"timeserie"'],
    ['"legendFormat"', '"legend"'],
    ['"unit": "bytes"', '"unit": "octets"'],
    ['{instance=~\\"$instance\\"}', ''],
    ['"uid": "$datasource"', '"uid": "prometheus"'],
    ['label_values(', 'label_value('],
    ['"w": 24', '"w": 25'],
  ];

  t.notThrows(() => parseDashboard(good));
  for (const [from, to] of planted) {
    t.true(good.includes(from), from);
    t.throws(() => parseDashboard(good.replace(from, to)), undefined, from);
  }
});

testUnless(lackOf('promtool'))('Prometheus takes every expression of the dashboard', async (t) => {
  const file = join(await temporaryDirectory(t), 'expressions.json');
  const expressions = expressionsOf(parseDashboard(await readDashboardText()));
  const rules = expressions.map(({ expr }, index) => ({ record: `panel:${index}`, expr }));
  await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));

  requirePromtool(t, 'check', 'rules', file);
});

function overlap({ gridPos: one }: DashboardPanel, { gridPos: other }: DashboardPanel): boolean {
  return (
    one.x < other.x + other.w &&
    other.x < one.x + one.w &&
    one.y < other.y + other.h &&
    other.y < one.y + one.h
  );
}
