import test from 'ava';
import { presentMarkdown, replaceSection } from './markdown-section.ts';

test('a section is replaced between its comments, and nothing else is', (t) => {
  const document =
    'a\n<!-- bench: read -->\nold\n<!-- end -->\nb\n<!-- bench: write -->\n<!-- end -->\n';

  const replaced = replaceSection(document, 'read', 'new');

  t.is(
    replaced,
    'a\n<!-- bench: read -->\n\nnew\n\n<!-- end -->\nb\n<!-- bench: write -->\n<!-- end -->\n',
  );
  t.is(replaceSection(replaced, 'read', 'new'), replaced);
});

test('a document without the section is refused, so that no figures get lost', (t) => {
  t.throws(() => replaceSection('text', 'read', 'new'), { message: /bench: read/ });
});

test('a suite in Markdown has its conditions, tables, charts and whom it skipped', (t) => {
  const measure = {
    ...{ title: 'start', unit: 'ms', ratios: [{ title: 'a : b', values: [2] }] },
    series: [{ subject: 'a', values: [300] }],
  };
  const skipped = [{ subject: 'Koa + Redis', reason: 'no redis-server' }];
  const charts = [{ name: 'growth.svg', title: 'growth', svg: '' }];

  const text = presentMarkdown({ measures: [measure], skipped, notes: ['note'], charts }, 'today');

  t.is(
    text,
    [
      'today',
      '| start | ms | min to max |\n| --- | --: | --: |\n| a | 300 | 300 to 300 |\n| a : b | 2.00 | 2.00 to 2.00 |',
      '![growth](growth.svg)',
      'Skipped: Koa + Redis: no redis-server',
      'note',
    ].join('\n\n'),
  );
});
