import { errnoOf, isSystemError, RepricerError } from '../errors.ts';
import type { FileSystem } from '../files/file-system.ts';
import { readFully } from '../files/read.ts';
import { tokenListBytesMax } from './token-list.ts';

/** The bytes of a tokens file, or INVALID_CONFIG when it is none, cannot be read or is too long. */
export async function readTokensFile(files: FileSystem, path: string): Promise<Buffer> {
  try {
    return await readUpTo(files, path, tokenListBytesMax);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const why = `it cannot be read (${errnoOf(error)})`;
    throw new RepricerError('INVALID_CONFIG', why, { cause: error });
  }
}

async function readUpTo(files: FileSystem, path: string, bytesMax: number): Promise<Buffer> {
  if (!(await files.stat(path)).isFile) {
    throw new RepricerError('INVALID_CONFIG', 'it is not a regular file');
  }
  const file = await files.open(path, 'read');
  try {
    const { bytes } = await file.stat();
    if (bytes > bytesMax) {
      throw new RepricerError('INVALID_CONFIG', `it is longer than ${bytesMax} bytes`);
    }
    return await readFully(file, 0, bytes);
  } finally {
    await file.close();
  }
}
