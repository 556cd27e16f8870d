import { join } from 'node:path';
import { tryLock } from 'fs-native-extensions';
import { errnoOf, RepricerError } from '../errors.ts';
import { type FileSystem, isMissing, type OpenFile } from './file-system.ts';
import { openOrCreate } from './open-or-create.ts';

/**
 * The kernel's lock on a data directory: one process holds it, and it ends with the process, however
 * that ends. A file with a process id would survive a crash, and a heartbeat would pass to another
 * process while the first is merely paused; neither is safe.
 */
export class DirectoryLock {
  readonly #file: OpenFile;

  private constructor(file: OpenFile) {
    this.#file = file;
  }

  /** Takes the lock, or throws `DIRECTORY_LOCKED` at once when another process holds it. */
  static async acquire(files: FileSystem, directory: string): Promise<DirectoryLock> {
    const { file } = await openOrCreate(files, join(directory, lockFile));
    return DirectoryLock.#take(file, directory);
  }

  /** The same for a process that only reads: nothing is created, and without a lock file there is nothing to take. */
  static async acquireIfPresent(
    files: FileSystem,
    directory: string,
  ): Promise<DirectoryLock | undefined> {
    try {
      const file = await files.open(join(directory, lockFile), 'write');
      return await DirectoryLock.#take(file, directory);
    } catch (error) {
      // On a read-only volume nobody can write, so nobody needs to be kept out.
      if (isMissing(error) || errnoOf(error) === 'EROFS') return undefined;
      throw error;
    }
  }

  static async #take(file: OpenFile, directory: string): Promise<DirectoryLock> {
    if (tryLock(file.fd)) return new DirectoryLock(file);
    await file.close();
    throw new RepricerError(
      'DIRECTORY_LOCKED',
      `another process owns the data directory ${directory}; stop it first, or name another directory`,
    );
  }

  /** Lets go of the lock. */
  async release(): Promise<void> {
    await this.#file.close();
  }
}

const lockFile = 'LOCK';
