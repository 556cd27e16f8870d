import { basename, dirname } from 'node:path';
import { listIfPresent } from './directories.ts';
import { filePart } from './file-part.ts';
import type { FileSystem } from './file-system.ts';
import { replaceFile } from './replace-file.ts';

/** What ends the name of a file that was set aside, so that no reader takes it for what it was. */
export const brokenSuffix = '.broken';

/** Gives a file a name that ends with `.broken` and gives that name back; it is on disk when this resolves. */
export async function setAside(files: FileSystem, path: string): Promise<string> {
  const broken = await freeBrokenName(files, path);
  await files.rename(path, broken);
  await files.syncDirectory(dirname(path));
  return broken;
}

/** The same with a copy: the file stays where it is, so that there is never a moment without it. */
export async function copyAside(files: FileSystem, path: string): Promise<string> {
  const broken = await freeBrokenName(files, path);
  await replaceFile(files, broken, filePart(files, path));
  return broken;
}

/** `<path>.broken`, or with a number when there is such a file already: none is ever overwritten. */
async function freeBrokenName(files: FileSystem, path: string): Promise<string> {
  const taken = new Set(await listIfPresent(files, dirname(path)));
  let name = `${path}${brokenSuffix}`;
  for (let number = 2; taken.has(basename(name)); number += 1) {
    name = `${path}.${number}${brokenSuffix}`;
  }
  return name;
}
