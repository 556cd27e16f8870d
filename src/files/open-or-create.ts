import { errnoOf } from '../errors.ts';
import type { FileSystem, OpenFile } from './file-system.ts';

/** Opens a file for writing in place, or creates it; a new one's name is not durable yet. */
export async function openOrCreate(
  files: FileSystem,
  path: string,
): Promise<{ readonly file: OpenFile; readonly isNew: boolean }> {
  try {
    return { file: await files.create(path), isNew: true };
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    return { file: await files.open(path, 'write'), isNew: false };
  }
}
