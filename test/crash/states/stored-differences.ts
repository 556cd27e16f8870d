import type { StoredFiles } from '../checker/stored-files.ts';

/** The paths of files that are not the same, or are there only once. */
export function storedDifferences(before: StoredFiles, after: StoredFiles): readonly string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => {
    const [old, current] = [before.get(path), after.get(path)];
    return old === undefined || current === undefined || !old.equals(current);
  });
}

/** For the checker, which takes bytes as latin1 text. */
export function asText(files: StoredFiles): Record<string, string> {
  return Object.fromEntries([...files].map(([path, bytes]) => [path, bytes.toString('latin1')]));
}
