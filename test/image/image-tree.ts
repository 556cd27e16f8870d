import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { projectRoot } from '../support/project-root.ts';

const lockFile = z.object({
  packages: z.record(z.string(), z.looseObject({ dev: z.boolean().default(false) })),
});

/** Puts into `directory` what the image has under `/app`: the packages of production and the built files. */
export async function makeImageTree(directory: string): Promise<void> {
  const root = await projectRoot();
  await mkdir(join(directory, 'build'), { recursive: true });
  await cp(join(root, 'package.json'), join(directory, 'package.json'));
  await cp(fileURLToPath(new URL('../../src', import.meta.url)), join(directory, 'build/src'), {
    recursive: true,
  });
  for (const path of await productionPackages(root)) {
    await cp(join(root, path), join(directory, path), {
      recursive: true,
      // Packages within packages have entries of their own.
      filter: (source) => !source.slice(join(root, path).length).includes('/node_modules'),
    });
  }
}

/** What `npm ci --omit=dev` installs, as paths from the root. */
async function productionPackages(root: string): Promise<readonly string[]> {
  const text = await readFile(join(root, 'package-lock.json'), 'utf8');
  const { packages } = lockFile.parse(JSON.parse(text));
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && !dev)
    .map(([path]) => path);
}
