import { RepricerError } from '../errors.ts';
import { type FileSystem, isMissing } from '../files/file-system.ts';

/** Throws `INVALID_CONFIG` when there is no such directory: a command that looks at data makes none. */
export async function refuseMissingDirectory(files: FileSystem, directory: string): Promise<void> {
  try {
    await files.stat(directory);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new RepricerError(
      'INVALID_CONFIG',
      `there is no directory ${directory}; name the data directory with --data-dir`,
      { cause: error },
    );
  }
}
