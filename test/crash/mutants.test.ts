import { readFile } from 'node:fs/promises';
import test from 'ava';
import { faults } from './faults.ts';
import { mutants } from './mutants.ts';

for (const { title, module, from, foundBy } of mutants) {
  test(`there is one place to plant the bug that ${title}`, async (t) => {
    const text = await readFile(new URL(`../../src/${module}.js`, import.meta.url), 'utf8');

    const places = text.match(new RegExp(from, 'g'));

    t.is(places?.length, 1);
    t.true(
      foundBy.every((id) => faults.some((fault) => fault.id === id)),
      `${foundBy}`,
    );
  });
}
