import { join } from 'node:path';
import { listIfPresent } from '../files/directories.ts';
import type { FileSystem } from '../files/file-system.ts';
import { temporarySuffix } from '../files/replace-file.ts';
import { productsDirectory } from './product-file.ts';

/** The paths of the directories that hold product files, within the data directory. */
export async function listShards(files: FileSystem, directory: string): Promise<readonly string[]> {
  const names = await listIfPresent(files, join(directory, productsDirectory));
  return names
    .filter((name) => /^[0-9a-f]{2}$/.test(name))
    .map((name) => `${productsDirectory}/${name}`);
}

/** The paths of all product files within the data directory, a directory of them at a time. */
export async function* listProductFiles(
  files: FileSystem,
  directory: string,
): AsyncGenerator<readonly string[]> {
  for (const shard of await listShards(files, directory)) {
    const names = await files.list(join(directory, shard));
    yield names.filter((name) => name.endsWith('.ndjson')).map((name) => `${shard}/${name}`);
  }
}

export async function countProductFiles(files: FileSystem, directory: string): Promise<number> {
  let count = 0;
  for await (const paths of listProductFiles(files, directory)) count += paths.length;
  return count;
}

/** Removes what unfinished replacements of product files left, and no other file. */
export async function removeInterruptedReplacements(
  files: FileSystem,
  directory: string,
): Promise<void> {
  for (const shard of await listShards(files, directory)) {
    const names = await files.list(join(directory, shard));
    for (const name of names.filter((candidate) => candidate.endsWith(ownTemporary))) {
      await files.remove(join(directory, shard, name));
    }
  }
}

const ownTemporary = `.ndjson${temporarySuffix}`;
