import { readdir, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import test from 'ava';
import { projectRoot } from './support/project-root.ts';

/* Whoever follows a link at night must arrive. */

test('every link from one document to another, or within one, leads to a heading that is there', async (t) => {
  const documents = await readDocuments();

  const broken = [...documents].flatMap(([path, text]) =>
    linksOf(text)
      .filter((link) => !leads(documents, path, link))
      .map((link) => `${path}: ${link}`),
  );

  t.deepEqual(broken, []);
});

test('a link that leads nowhere is told from a good one', (t) => {
  const documents = new Map([
    ['README.md', '# All'],
    ['docs/a.md', '# One\n\n## What, and `why`?\n'],
  ]);

  for (const good of ['docs/a.md', 'docs/a.md#one', 'docs/a.md#what-and-why', '#all']) {
    t.true(leads(documents, 'README.md', good), good);
  }
  t.true(leads(documents, 'docs/a.md', '../README.md#all'));
  for (const bad of ['docs/b.md', 'a.md', 'docs/a.md#two', '#one', 'docs/a.md#what']) {
    t.false(leads(documents, 'README.md', bad), bad);
  }
  t.deepEqual(linksOf('[a](b.md#c), [d](#e), [f](https://g) and [h](LICENSE)'), ['b.md#c', '#e']);
});

type Documents = ReadonlyMap<string, string>;

function leads(documents: Documents, from: string, link: string): boolean {
  const [path = '', heading] = link.split('#');
  const target = path === '' ? from : posix.join(posix.dirname(from), path);
  const text = documents.get(target);
  return text !== undefined && (heading === undefined || headingsOf(text).includes(heading));
}

/** Links to documents, and within one. */
function linksOf(text: string): readonly string[] {
  return [...text.matchAll(/\]\(((?:[\w./-]+\.md)?(?:#[\w-]+)?)\)/g)].map(([, link = '']) => link);
}

/** The headings as the anchors that GitHub and Azure Repos make of them. */
function headingsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}

async function readDocuments(): Promise<Documents> {
  const root = await projectRoot();
  const names = (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md'));
  const paths = ['README.md', ...names.map((name) => `docs/${name}`)];
  return new Map(
    await Promise.all(
      paths.map(async (path) => [path, await readFile(join(root, path), 'utf8')] as const),
    ),
  );
}
