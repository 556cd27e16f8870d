import { type BigIntStats, constants, type StatsFs } from 'node:fs';
import * as fs from 'node:fs/promises';
import { errnoOf } from '../errors.ts';
import type { ManyFiles } from './many-files.ts';

/**
 * The system calls that this project makes on files, and no others. Storage takes a `FileSystem`
 * instead of `node:fs`, so that a test can hold, fail or count any call, and forget what was not synced.
 * Errors are Node's, with their errno name as `code`.
 */
export interface FileSystem {
  /** Opens an existing file: `'read'`, or `'write'` to read and write it in place. */
  open(path: string, mode: 'read' | 'write'): Promise<OpenFile>;
  /** Creates a file for writing; EEXIST when there is one. */
  create(path: string): Promise<OpenFile>;
  /** The names in a directory, sorted. */
  list(directory: string): Promise<readonly string[]>;
  stat(path: string): Promise<FileStat>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Creates one directory; EEXIST when there is one. */
  makeDirectory(path: string): Promise<void>;
  /** Makes the directory's entries durable: creations, renames and removals in it. */
  syncDirectory(path: string): Promise<void>;
  /** There where waiting for the disk can be left to somebody else. */
  readonly manyFiles?: ManyFiles;
  /** Room for ordinary users on the volume that holds `path`. */
  room(path: string): Promise<VolumeRoom>;
}

export interface FileStat {
  readonly bytes: number;
  /** False for directories, pipes and devices: opening a pipe waits until somebody writes to it. */
  readonly isFile: boolean;
  /** When content or entry last changed (ctime), in nanoseconds since the epoch; it follows the system's clock and nothing else. */
  readonly changedAtNs: bigint;
  /** When content, or a directory's names, last changed (mtime); unlike ctime not by a change of owner or mode. */
  readonly modifiedAtNs: bigint;
}

export interface VolumeRoom {
  readonly freeBytes: number;
  readonly freeFiles: number;
}

/** An open file. Positions and lengths are bytes. */
export interface OpenFile {
  /** For the kernel's lock calls. */
  readonly fd: number;
  /** Reads up to `target.length` bytes; fewer only at the end of the file or when the system returns fewer. */
  read(target: Buffer, position: number): Promise<number>;
  /** Writes at least one byte of `bytes` and returns how many; the kernel may write fewer than asked without an error. */
  write(bytes: Buffer, position: number): Promise<number>;
  /** Returns when the file's data and length are on disk (fdatasync). */
  datasync(): Promise<void>;
  truncate(length: number): Promise<void>;
  stat(): Promise<FileStat>;
  close(): Promise<void>;
}

/** The real one. */
export const nodeFileSystem: FileSystem = {
  async open(path, mode) {
    return new NodeFile(path, await fs.open(path, mode === 'read' ? 'r' : 'r+'));
  },

  async create(path) {
    return new NodeFile(path, await fs.open(path, 'wx+'));
  },

  async list(directory) {
    return (await fs.readdir(directory)).sort();
  },

  async stat(path) {
    return toFileStat(await fs.stat(path, { bigint: true }));
  },

  rename: (from, to) => fs.rename(from, to),

  remove: (path) => fs.unlink(path),

  makeDirectory: (path) => fs.mkdir(path),

  async syncDirectory(path) {
    const directory = await fs.open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  },

  async room(path) {
    return toVolumeRoom(await fs.statfs(path));
  },
};

/** Whether `error` says that a file or directory is not there. */
export function isMissing(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT';
}

class NodeFile implements OpenFile {
  readonly #path: string;
  readonly #handle: fs.FileHandle;

  constructor(path: string, handle: fs.FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  get fd(): number {
    return this.#handle.fd;
  }

  async read(target: Buffer, position: number): Promise<number> {
    try {
      return (await this.#handle.read(target, 0, target.length, position)).bytesRead;
    } catch (error) {
      // A directory can be opened, and only a read says what it is: in Node without its path.
      if (error instanceof Error && errnoOf(error) === 'EISDIR') {
        error.message += ` '${this.#path}'`;
      }
      throw error;
    }
  }

  async write(bytes: Buffer, position: number): Promise<number> {
    return (await this.#handle.write(bytes, 0, bytes.length, position)).bytesWritten;
  }

  datasync(): Promise<void> {
    return this.#handle.datasync();
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length);
  }

  async stat(): Promise<FileStat> {
    return toFileStat(await this.#handle.stat({ bigint: true }));
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** A file system that makes places for files as they come, such as btrfs, says that it has 0 of 0. */
export function toVolumeRoom({ bavail, bsize, files, ffree }: StatsFs): VolumeRoom {
  return { freeBytes: bavail * bsize, freeFiles: files === 0 ? Number.POSITIVE_INFINITY : ffree };
}

function toFileStat(stat: BigIntStats): FileStat {
  return {
    bytes: Number(stat.size),
    isFile: stat.isFile(),
    changedAtNs: stat.ctimeNs,
    modifiedAtNs: stat.mtimeNs,
  };
}
