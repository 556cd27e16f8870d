import { RepricerError } from '../errors.ts';
import type { FileSystem, OpenFile } from '../files/file-system.ts';
import { isBusy } from './is-busy.ts';

/** Opens a file for a reader, who is told when it fails for a passing reason: `STORAGE_BUSY`. */
export async function openToRead(files: FileSystem, path: string): Promise<OpenFile> {
  try {
    return await files.open(path, 'read');
  } catch (error) {
    if (!isBusy(error)) throw error;
    throw new RepricerError('STORAGE_BUSY', 'a file could not be opened', { cause: error });
  }
}
