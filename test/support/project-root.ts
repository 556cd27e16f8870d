import { readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The nearest directory above this file that has a package.json. */
export async function projectRoot(): Promise<string> {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!(await readdir(directory)).includes('package.json')) {
    if (basename(directory) === '') throw new Error('no package.json above the tests');
    directory = dirname(directory);
  }
  return directory;
}
