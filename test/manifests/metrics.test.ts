import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ChildService } from '../support/child-service.ts';
import { projectRoot } from '../support/project-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { readAlertRules } from './alert-rules.ts';
import { expressionsOf, parseDashboard, readDashboardText } from './dashboard.ts';
import { lackOf, parseScrape, type Scrape, selectorsOf } from './metric-selectors.ts';

test('every metric and label that a panel or rule names is in the metrics of a running service', async (t) => {
  const scrape = await scrapeService(t);
  const dashboard = parseDashboard(await readDashboardText());
  const [, { query }] = dashboard.templating.list;
  const rules = (await readAlertRules()).map(({ alert, expr }) => ({ place: alert, expr }));
  const variable = { place: 'the variable', expr: query.replace(', instance', '') };

  const lacks = [...rules, ...expressionsOf(dashboard), variable].flatMap(({ place, expr }) =>
    selectorsOf(expr)
      .map((selector) => lackOf(selector, scrape))
      .filter((lack) => lack !== undefined)
      .map((lack) => `${place}: ${lack}`),
  );

  t.deepEqual(lacks, []);
});

test('every metric of our own is documented, and no other', async (t) => {
  const { types } = await scrapeService(t);
  const document = await readFile(join(await projectRoot(), 'docs/operations.md'), 'utf8');

  const documented = [...document.matchAll(/`(repricer_\w+)/g)].map(([, name = '']) => name);

  t.deepEqual(
    [...new Set(documented)].toSorted(),
    [...types.keys()].filter((name) => name.startsWith('repricer_')).toSorted(),
  );
});

test('what an expression names is found, wherever it stands', (t) => {
  const expr =
    'histogram_quantile(0.99, sum by (le, code) (rate(a_bucket{x="1",y=~"p|q"}[5m]))) > 0.5 * b ' +
    'or (time() - c < 1e3 and on (instance) d offset 1h) unless absent(e)';

  t.deepEqual(
    selectorsOf(expr).map(({ metric }) => metric),
    ['a_bucket', 'b', 'c', 'd', 'e'],
  );
  t.deepEqual(selectorsOf(expr)[0]?.matchers, [
    { label: 'x', operator: '=', value: '1' },
    { label: 'y', operator: '=~', value: 'p|q' },
  ]);
});

test('a metric or label that is misspelt is told from a good one', (t) => {
  const scrape = parseScrape(
    [
      '# TYPE a_total counter',
      'a_total{code="X",other="1"} 1',
      'a_total{code="Y"} 1',
      '# TYPE b histogram',
      'b_bucket{le="1"} 0',
    ].join('\n'),
  );
  const lacksOf = (expr: string) => selectorsOf(expr).map((selector) => lackOf(selector, scrape));

  t.deepEqual(lacksOf('rate(a_total{code=~"X|Y",instance="z"}[1m]) + b_bucket + b_sum + b_count'), [
    ...[undefined, undefined, undefined, undefined],
  ]);
  for (const expr of ['a_totals', 'a', 'a_total_count', 'b', 'b_buckets', 'time() - c']) {
    t.regex(String(lacksOf(expr).at(-1)), /^there is no metric /, expr);
  }
  for (const expr of ['a_total{code="Z"}', 'a_total{code=~"X|Z"}', 'a_total{kind="X"}']) {
    t.regex(String(lacksOf(expr)[0]), /^there is no a_total\{/, expr);
  }
});

/** What a service that has recorded a price tells Prometheus. */
async function scrapeService(t: ExecutionContext): Promise<Scrape> {
  const service = await ChildService.start(t, await temporaryDirectory(t));
  await service.reprice('a', '1');
  const answer = await fetch(`http://127.0.0.1:${service.backplanePort}/metrics`);
  return parseScrape(await answer.text());
}
