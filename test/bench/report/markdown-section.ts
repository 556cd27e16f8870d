import { type Measure, presentSkip, type SuiteResult } from './measure.ts';
import { headOf, rowsOf } from './measure-rows.ts';

/** What a suite found, as Markdown; `conditions` say when and where. */
export function presentMarkdown(result: SuiteResult, conditions: string): string {
  const skips = result.skipped.map((skip) => `Skipped: ${presentSkip(skip)}`);
  const charts = result.charts.map(({ title, name }) => `![${title}](${name})`);
  const tables = result.measures.map(table);
  return [conditions, ...tables, ...charts, ...skips, ...result.notes].join('\n\n');
}

function table(measure: Measure): string {
  const head = headOf(measure);
  const rule = head.map((_, column) => (column === 0 ? '---' : '--:'));
  return [head, rule, ...rowsOf(measure)]
    .map((cells) => `| ${head.map((_, column) => cells[column] ?? '').join(' | ')} |`)
    .join('\n');
}

/**
 * The document with what stands between the two comments of a section, `<!-- bench: write -->` and
 * `<!-- end -->`, replaced. Throws when it has no such section.
 */
export function replaceSection(document: string, name: string, text: string): string {
  const begin = `<!-- bench: ${name} -->`;
  const start = document.indexOf(begin);
  const end = document.indexOf('<!-- end -->', start);
  if (start === -1 || end === -1) throw new Error(`the document has no section ${begin}`);
  return `${document.slice(0, start + begin.length)}\n\n${text}\n\n${document.slice(end)}`;
}
