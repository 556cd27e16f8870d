import { constants } from 'node:os';
import type { FileSystem, OpenFile } from '../../../src/files/file-system.ts';

/**
 * How a call ends: the process is killed before it, after it, or when half of what it writes is
 * written; or the call alone fails with an errno and has done nothing.
 */
export type Disturbance = 'killed before' | 'killed after' | 'killed within' | 'EIO' | 'ENOSPC';

/** What every call gives once the process was killed. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

/** Files of which the call with one number, counted from 1, is disturbed. */
export class DisturbedFiles implements FileSystem {
  readonly #files: FileSystem;
  readonly #at: number;
  readonly #disturbance: Disturbance;
  #calls = 0;
  #isKilled = false;
  /** The call that was disturbed: `write /data/checkpoint.json.tmp`; empty as long as there was none. */
  disturbed = '';

  constructor(files: FileSystem, at: number, disturbance: Disturbance) {
    this.#files = files;
    this.#at = at;
    this.#disturbance = disturbance;
  }

  get calls(): number {
    return this.#calls;
  }

  open(path: string, mode: 'read' | 'write'): Promise<OpenFile> {
    const act = async () => this.#opened(path, await this.#files.open(path, mode));
    return this.#run(`open ${path}`, act);
  }

  create(path: string): Promise<OpenFile> {
    const act = async () => this.#opened(path, await this.#files.create(path));
    return this.#run(`create ${path}`, act);
  }

  list(path: string): Promise<readonly string[]> {
    return this.#run(`list ${path}`, () => this.#files.list(path));
  }

  stat(path: string): ReturnType<FileSystem['stat']> {
    return this.#run(`stat ${path}`, () => this.#files.stat(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#run(`rename ${from}`, () => this.#files.rename(from, to));
  }

  remove(path: string): Promise<void> {
    return this.#run(`remove ${path}`, () => this.#files.remove(path));
  }

  makeDirectory(path: string): Promise<void> {
    return this.#run(`makeDirectory ${path}`, () => this.#files.makeDirectory(path));
  }

  syncDirectory(path: string): Promise<void> {
    return this.#run(`syncDirectory ${path}`, () => this.#files.syncDirectory(path));
  }

  room(path: string): ReturnType<FileSystem['room']> {
    return this.#run(`room ${path}`, () => this.#files.room(path));
  }

  #opened(path: string, file: OpenFile): OpenFile {
    return {
      fd: -1,
      read: (target, position) => this.#run(`read ${path}`, () => file.read(target, position)),
      write: (bytes, position) =>
        this.#run(
          `write ${path}`,
          () => file.write(bytes, position),
          () => file.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), position),
        ),
      datasync: () => this.#run(`datasync ${path}`, () => file.datasync()),
      truncate: (length) => this.#run(`truncate ${path}`, () => file.truncate(length)),
      stat: () => this.#run(`fstat ${path}`, () => file.stat()),
      close: () => file.close(),
    };
  }

  async #run<T>(
    call: string,
    act: () => Promise<T>,
    actInPart: () => Promise<unknown> = async () => {},
  ): Promise<T> {
    if (this.#isKilled) throw new Killed();
    this.#calls += 1;
    if (this.#calls !== this.#at) return act();
    this.disturbed = call;
    if (this.#disturbance === 'EIO' || this.#disturbance === 'ENOSPC') {
      throw systemError(this.#disturbance, call);
    }
    this.#isKilled = true;
    if (this.#disturbance === 'killed after') await act();
    if (this.#disturbance === 'killed within') await actInPart();
    throw new Killed();
  }
}

function systemError(code: 'EIO' | 'ENOSPC', call: string): Error {
  return Object.assign(new Error(`${code}: ${call}`), { code, errno: -constants.errno[code] });
}
