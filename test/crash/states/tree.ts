import { posix } from 'node:path';
import type { StoredFiles } from '../checker/stored-files.ts';
import { changeBytes, type Effect } from './effect.ts';

/** A file's bytes and its times, in nanoseconds of a clock that counts effects. */
export interface TreeFile {
  readonly bytes: Buffer;
  readonly changedAtNs: bigint;
  readonly modifiedAtNs: bigint;
}

/** Directories and files by absolute path. The bytes of a file are never changed in place, so copies share them. */
export class Tree {
  /** A directory has the time of the last change of its names; a file its number. */
  readonly names: Map<string, { directoryAtNs: bigint } | { file: number }>;
  readonly files: Map<number, TreeFile>;

  constructor(names: Tree['names'] = new Map(), files: Tree['files'] = new Map()) {
    this.names = names;
    this.files = files;
    if (!this.names.has('/')) this.names.set('/', { directoryAtNs: 0n });
  }

  copy(): Tree {
    return new Tree(new Map(this.names), new Map(this.files));
  }

  /** The number of the file at a path; undefined when there is none, or a directory. */
  fileAt(path: string): number | undefined {
    const entry = this.names.get(path);
    return entry !== undefined && 'file' in entry ? entry.file : undefined;
  }

  isDirectory(path: string): boolean {
    const entry = this.names.get(path);
    return entry !== undefined && 'directoryAtNs' in entry;
  }

  list(directory: string): readonly string[] {
    const prefix = directory === '/' ? '/' : `${directory}/`;
    return [...this.names.keys()]
      .filter((path) => path !== '/' && path.startsWith(prefix))
      .map((path) => path.slice(prefix.length))
      .filter((name) => !name.includes('/'))
      .sort();
  }

  apply(effect: Effect, atNs: bigint): void {
    if ('path' in effect && effect.kind !== 'syncDirectory') {
      this.names.set(posix.dirname(effect.path), { directoryAtNs: atNs });
    }
    if (effect.kind === 'create') {
      this.names.set(effect.path, { file: effect.file });
      // A name may become durable after the bytes.
      if (!this.files.has(effect.file)) this.#put(effect.file, Buffer.alloc(0), atNs);
    } else if (effect.kind === 'makeDirectory') {
      this.names.set(effect.path, { directoryAtNs: atNs });
    } else if (effect.kind === 'remove') {
      this.names.delete(effect.path);
    } else if (effect.kind === 'rename') {
      this.#rename(effect.path, effect.to, atNs);
    } else if (effect.kind === 'write' || effect.kind === 'truncate') {
      const old = this.files.get(effect.file)?.bytes ?? Buffer.alloc(0);
      this.#put(effect.file, changeBytes(old, effect), atNs);
    }
  }

  /** The files below a directory, by path within it. */
  below(directory: string): StoredFiles {
    const found = new Map<string, Buffer>();
    for (const [path, entry] of this.names) {
      if (!('file' in entry) || !path.startsWith(`${directory}/`)) continue;
      const bytes = this.files.get(entry.file)?.bytes ?? Buffer.alloc(0);
      found.set(path.slice(directory.length + 1), bytes);
    }
    return found;
  }

  #put(file: number, bytes: Buffer, atNs: bigint): void {
    this.files.set(file, { bytes, changedAtNs: atNs, modifiedAtNs: atNs });
  }

  #rename(from: string, to: string, atNs: bigint): void {
    const file = this.fileAt(from);
    const content = file === undefined ? undefined : this.files.get(file);
    if (file === undefined || content === undefined) return;
    this.names.delete(from);
    this.names.set(to, { file });
    this.files.set(file, { ...content, changedAtNs: atNs });
  }
}
