import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { projectRoot } from '../support/project-root.ts';

/** The directories below `manifests/` of what is applied to a cluster. */
const directories = ['base', 'cluster', 'overlays', 'restore'];

/** A YAML file of theirs: its path from `manifests/`, and its text. */
export interface ManifestFile {
  readonly path: string;
  readonly text: string;
}

/** All of these files, in the order of their paths. */
export async function readManifestFiles(): Promise<readonly ManifestFile[]> {
  const directory = join(await projectRoot(), 'manifests');
  const names = await Promise.all(
    directories.map(async (top) =>
      (await readdir(join(directory, top), { recursive: true })).map((name) => join(top, name)),
    ),
  );
  const paths = names
    .flat()
    .filter((name) => name.endsWith('.yaml'))
    .sort();
  return Promise.all(
    paths.map(async (path) => ({ path, text: await readFile(join(directory, path), 'utf8') })),
  );
}

/** The documents of a YAML text. Throws for one that is not YAML, or that has a key twice. */
export function parseYaml(text: string): readonly unknown[] {
  return parseAllDocuments(text).map((document) => {
    const [error] = [...document.errors, ...document.warnings];
    if (error !== undefined) throw error;
    return document.toJS() as unknown;
  });
}

/** Applied by hand, as docs/operations.md tells, and no part of what is installed. */
export function isForHands({ path }: ManifestFile): boolean {
  return path.startsWith('restore/');
}

export function isKustomization({ path }: ManifestFile): boolean {
  return path.endsWith('kustomization.yaml');
}

/** What `kubectl` makes of the kustomization in a directory. */
export async function render(directory: string): Promise<readonly unknown[]> {
  const { error, status, stdout, stderr } = spawnSync('kubectl', ['kustomize', directory], {
    cwd: await projectRoot(),
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${relative('.', directory)}: ${stderr}`);
  return parseYaml(stdout);
}
