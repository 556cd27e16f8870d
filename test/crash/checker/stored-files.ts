import type { Dirent } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Store } from '../checker.ts';

/** The bytes of every file of a store by its path, which has `/` between names on every system. */
export type StoredFiles = ReadonlyMap<string, Buffer>;

/** Reads a whole store into memory; the stores of a campaign are small. */
export async function readStore(store: Store): Promise<StoredFiles> {
  if ('directory' in store) return readDirectory(store.directory);
  return new Map(
    Object.entries(store.files).map(([path, bytes]) => [path, Buffer.from(bytes, 'latin1')]),
  );
}

/** Files in the form in which they can be sent to the checker. */
export function toStore(files: StoredFiles): Store {
  const texts = [...files].map(([path, bytes]) => [path, bytes.toString('latin1')] as const);
  return { files: Object.fromEntries<string>(texts) };
}

/** The paths of files that are not the same, or are there only once. */
export function differingPaths(before: StoredFiles, after: StoredFiles): readonly string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => {
    const [old, current] = [before.get(path), after.get(path)];
    return old === undefined || current === undefined || !old.equals(current);
  });
}

async function readDirectory(directory: string): Promise<StoredFiles> {
  const files = new Map<string, Buffer>();
  for (const entry of await entriesOf(directory)) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(directory, path).split(sep).join('/'), await readFile(path));
  }
  return files;
}

/** A service that was killed before it made its directory leaves an empty store. */
async function entriesOf(directory: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(directory, { recursive: true, withFileTypes: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function errnoOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
