import { dirname } from 'node:path';
import { errnoOf } from '../errors.ts';
import { type FileSystem, isMissing } from './file-system.ts';

/**
 * Creates `path` and the directories above it that are missing; each is on disk when this resolves.
 * One that is there already is synced too, as whoever made it may have ended before it was.
 */
export async function makeDirectories(files: FileSystem, path: string): Promise<void> {
  try {
    await ensureDirectory(files, path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    await makeDirectories(files, dirname(path));
    await ensureDirectory(files, path);
  }
  await files.syncDirectory(dirname(path));
}

/** Creates one directory, or finds it there; nothing is synced. */
export async function ensureDirectory(files: FileSystem, path: string): Promise<void> {
  try {
    await files.makeDirectory(path);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
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
