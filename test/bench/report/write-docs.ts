import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../support/project-root.ts';
import { presentMarkdown, replaceSection } from './markdown-section.ts';
import { presentConditions, type Report } from './report.ts';

/** Puts what was measured into docs/performance.md, and its charts beside it; the rest stays as it is. */
export async function writeDocs(report: Report): Promise<void> {
  const directory = join(await projectRoot(), 'docs');
  const file = join(directory, 'performance.md');
  let document = await readFile(file, 'utf8');
  for (const [name, result] of Object.entries(report.suites)) {
    document = replaceSection(document, name, presentMarkdown(result, presentConditions(report)));
    for (const chart of result.charts) await writeFile(join(directory, chart.name), chart.svg);
  }
  await writeFile(file, document);
}
