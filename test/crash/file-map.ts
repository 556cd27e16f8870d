import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What is known of a file: its bytes by their sum, and when its content or name last changed. */
export interface FileState {
  readonly sha256: string;
  readonly changedMs: number;
}

/** Every file under a directory by its path from there; two are equal when nothing was touched in between. */
export async function fileMap(directory: string): Promise<ReadonlyMap<string, FileState>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const states = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    const [bytes, { ctimeMs }] = await Promise.all([readFile(path), stat(path)]);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return [path.slice(directory.length + 1), { sha256, changedMs: ctimeMs }] as const;
  });
  return new Map((await Promise.all(states)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The paths of those that are not in `after` as they were in `before`, and of those that came. */
export function changesBetween(
  before: ReadonlyMap<string, FileState>,
  after: ReadonlyMap<string, FileState>,
): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter((path) => {
    const [was, is] = [before.get(path), after.get(path)];
    return was?.sha256 !== is?.sha256 || was?.changedMs !== is?.changedMs;
  });
}
