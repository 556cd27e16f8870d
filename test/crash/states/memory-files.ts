import { constants } from 'node:os';
import { posix } from 'node:path';
import type { FileStat, FileSystem, OpenFile, VolumeRoom } from '../../../src/files/file-system.ts';
import type { Effect } from './effect.ts';
import { Tree } from './tree.ts';

/**
 * A file system in memory that writes down every effect, so that the states which a crash may leave
 * can be built from them. Paths are absolute. There are no locks, and no more times than a count of effects.
 */
export class MemoryFiles implements FileSystem {
  readonly effects: Effect[];
  /** The effect at index i is of the time `startedAt` + i + 1. */
  readonly startedAt: bigint;
  /** Calls so far, also those without an effect. */
  calls = 0;
  #tree: Tree;
  #files = 0;
  #isDetached = false;
  #failingCall: { readonly number: number; readonly code: Errno } | undefined;
  #failingSync: RegExp | undefined;

  /** Goes on from a tree, and from the effects that led to it, which it leaves as they are. */
  constructor(tree: Tree = new Tree(), effects: readonly Effect[] = []) {
    this.#tree = tree.copy();
    this.effects = [...effects];
    this.#files = Math.max(0, ...tree.files.keys());
    const times = [...tree.files.values()].map(({ changedAtNs }) => Number(changedAtNs));
    const entries = [...tree.names.values()];
    const directoryTimes = entries.map((entry) =>
      'directoryAtNs' in entry ? Number(entry.directoryAtNs) : 0,
    );
    this.startedAt = BigInt(Math.max(0, ...times, ...directoryTimes) - effects.length + 1);
  }

  /** The next sync of a file with such a path fails: what it should have made durable may be lost for ever. */
  failNextSync(pathPattern: RegExp): void {
    this.#failingSync = pathPattern;
  }

  get tree(): Tree {
    return this.#tree;
  }

  /** What is done from now on, as by a process that has to be ended, leaves no trace but in its own eyes. */
  detach(): void {
    this.#isDetached = true;
    this.#tree = this.#tree.copy();
  }

  /** The call with this number, counted from 1, fails and does nothing. */
  failCall(number: number, code: Errno): void {
    this.#failingCall = { number, code };
  }

  async open(path: string): Promise<OpenFile> {
    this.#arrive('open', path);
    const file = this.#tree.fileAt(path);
    if (file === undefined) throw systemError('ENOENT', 'open', path);
    return this.#opened(path, file);
  }

  async create(path: string): Promise<OpenFile> {
    this.#arrive('open', path);
    if (this.#tree.names.has(path)) throw systemError('EEXIST', 'open', path);
    this.#needParent('open', path);
    this.#files += 1;
    this.#take({ kind: 'create', path, file: this.#files });
    return this.#opened(path, this.#files);
  }

  async list(directory: string): Promise<readonly string[]> {
    this.#arrive('scandir', directory);
    if (!this.#tree.isDirectory(directory)) throw systemError('ENOENT', 'scandir', directory);
    return this.#tree.list(directory);
  }

  async stat(path: string): Promise<FileStat> {
    this.#arrive('stat', path);
    const entry = this.#tree.names.get(path);
    if (entry === undefined) throw systemError('ENOENT', 'stat', path);
    if ('file' in entry) return this.#statOf(entry.file);
    const atNs = entry.directoryAtNs;
    return { bytes: 0, isFile: false, changedAtNs: atNs, modifiedAtNs: atNs };
  }

  async rename(path: string, to: string): Promise<void> {
    this.#arrive('rename', path);
    if (this.#tree.fileAt(path) === undefined) throw systemError('ENOENT', 'rename', path);
    this.#take({ kind: 'rename', path, to });
  }

  async remove(path: string): Promise<void> {
    this.#arrive('unlink', path);
    if (this.#tree.fileAt(path) === undefined) throw systemError('ENOENT', 'unlink', path);
    this.#take({ kind: 'remove', path });
  }

  async makeDirectory(path: string): Promise<void> {
    this.#arrive('mkdir', path);
    if (this.#tree.names.has(path)) throw systemError('EEXIST', 'mkdir', path);
    this.#needParent('mkdir', path);
    this.#take({ kind: 'makeDirectory', path });
  }

  async syncDirectory(path: string): Promise<void> {
    this.#arrive('fsync', path);
    if (!this.#tree.isDirectory(path)) throw systemError('ENOENT', 'open', path);
    this.#take({ kind: 'syncDirectory', path });
  }

  async room(): Promise<VolumeRoom> {
    this.#arrive('statfs', '/');
    return { freeBytes: 2 ** 40, freeFiles: 2 ** 20 };
  }

  #opened(path: string, file: number): OpenFile {
    const bytesNow = () => this.#tree.files.get(file)?.bytes ?? Buffer.alloc(0);
    return {
      get fd(): number {
        throw new Error('a file in memory has no descriptor');
      },
      read: async (target, position) => {
        this.#arrive('read', path);
        return bytesNow().copy(target, 0, position);
      },
      write: async (bytes, position) => {
        this.#arrive('write', path);
        this.#take({ kind: 'write', file, position, bytes: Buffer.from(bytes) });
        return bytes.length;
      },
      datasync: async () => {
        this.#arrive('fdatasync', path);
        if (this.#failingSync?.test(path) !== true) return this.#take({ kind: 'sync', file });
        this.#failingSync = undefined;
        this.#take({ kind: 'failedSync', file });
        throw systemError('EIO', 'fdatasync', path);
      },
      truncate: async (length) => {
        this.#arrive('ftruncate', path);
        this.#take({ kind: 'truncate', file, length });
      },
      stat: async () => {
        this.#arrive('fstat', path);
        return this.#statOf(file);
      },
      close: async () => {},
    };
  }

  #arrive(syscall: string, path: string): void {
    if (this.#isDetached) return;
    this.calls += 1;
    if (this.calls !== this.#failingCall?.number) return;
    throw systemError(this.#failingCall.code, syscall, path);
  }

  #statOf(file: number): FileStat {
    const found = this.#tree.files.get(file);
    if (found === undefined) throw new Error(`there is no file ${file}`);
    const { bytes, changedAtNs, modifiedAtNs } = found;
    return { bytes: bytes.length, isFile: true, changedAtNs, modifiedAtNs };
  }

  #needParent(syscall: string, path: string): void {
    if (!this.#tree.isDirectory(posix.dirname(path))) throw systemError('ENOENT', syscall, path);
  }

  #take(effect: Effect): void {
    if (!this.#isDetached) this.effects.push(effect);
    this.#tree.apply(effect, this.startedAt + BigInt(this.effects.length));
  }
}

type Errno = keyof typeof constants.errno;

function systemError(code: Errno, syscall: string, path: string): Error {
  const errno = -constants.errno[code];
  return Object.assign(new Error(`${code}: ${syscall} '${path}'`), { code, errno, syscall, path });
}
