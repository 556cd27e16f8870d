import { dirname } from 'node:path';
import { errnoOf } from '../errors.ts';
import { type FileSystem, isMissing } from './file-system.ts';

/** Creates `path` and the directories above it that are missing; each is on disk when this resolves. */
export async function makeDirectories(files: FileSystem, path: string): Promise<void> {
  try {
    await files.makeDirectory(path);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return;
    if (!isMissing(error)) throw error;
    await makeDirectories(files, dirname(path));
    await files.makeDirectory(path);
  }
  await files.syncDirectory(dirname(path));
}

/** The names in `directory`; none when it does not exist. */
export async function listIfPresent(
  files: FileSystem,
  directory: string,
): Promise<readonly string[]> {
  try {
    return await files.list(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Removes a file; it is no error when there is none. */
export async function removeIfPresent(files: FileSystem, path: string): Promise<void> {
  try {
    await files.remove(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
