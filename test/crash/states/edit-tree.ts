import { posix } from 'node:path';
import { dataDirectory } from './history.ts';
import type { Tree } from './tree.ts';

/** Later than every time in a tree: what a person or a failing disk does comes after the crash. */
const afterCrashNs = 1_000_000n;

/** A copy in which files of the data directory have these bytes, or are gone for `undefined`. */
export function editTree(
  tree: Tree,
  changes: Readonly<Record<string, Buffer | undefined>>,
  atNs: bigint = afterCrashNs,
): Tree {
  const edited = tree.copy();
  for (const [name, bytes] of Object.entries(changes)) {
    const path = posix.join(dataDirectory, name);
    const file = edited.fileAt(path) ?? Math.max(0, ...edited.files.keys()) + 1;
    if (bytes === undefined) edited.apply({ kind: 'remove', path }, atNs);
    else {
      if (edited.fileAt(path) === undefined) {
        edited.apply({ kind: 'create', path, file }, atNs);
      }
      edited.files.set(file, { bytes, changedAtNs: atNs, modifiedAtNs: atNs });
    }
  }
  return edited;
}
