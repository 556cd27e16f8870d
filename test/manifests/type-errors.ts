import { spawnSync } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { z } from 'zod';
import { projectRoot } from '../support/project-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const typed = z.object({ apiVersion: z.string(), kind: z.string() });

/**
 * What the compiler says against each document, when it stands as a literal of its Kubernetes type: keys that
 * are not known or missing, values of another type or not among the allowed ones. An empty list is a good one.
 */
export async function typeErrorsIn(
  t: ExecutionContext,
  documents: readonly unknown[],
): Promise<readonly (readonly string[])[]> {
  const root = await projectRoot();
  const directory = await temporaryDirectory(t);
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'), 'dir');
  const names = documents.map((_, index) => `document-${index}.ts`);
  for (const [index, name] of names.entries()) {
    await writeFile(join(directory, name), literalOf(documents[index], root));
  }
  const { stdout } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), ...compilerFlags, ...names],
    { cwd: directory, encoding: 'utf8' },
  );
  // Lines that go on with an error are indented.
  const errors = stdout.split('\n').filter((line) => /^\S/.test(line));
  const stray = errors.filter((line) => !names.some((name) => line.startsWith(`${name}(`)));
  if (stray.length > 0) throw new Error(stray.join('\n'));
  return names.map((name) => errors.filter((line) => line.startsWith(`${name}(`)));
}

const compilerFlags = [
  ...['--noEmit', '--ignoreConfig', '--strict', '--skipLibCheck', '--pretty', 'false'],
  ...['--target', 'es2023', '--module', 'nodenext', '--types', '', '--allowImportingTsExtensions'],
];

function literalOf(document: unknown, root: string): string {
  const { apiVersion, kind } = typed.parse(document);
  const module = apiVersion.startsWith('snapshot.storage.k8s.io/')
    ? join(root, 'test/manifests/volume-snapshot.ts')
    : `kubernetes-models/${apiVersion}/${kind}`;
  return [
    `import type { I${kind} } from ${JSON.stringify(module)};`,
    `export const document: I${kind} = ${JSON.stringify(document, undefined, 2)};`,
  ].join('\n');
}
