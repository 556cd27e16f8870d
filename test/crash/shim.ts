import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Surroundings } from '../support/child-service.ts';
import { compile } from './compile.ts';

/** The system calls that may be chosen; `open` is also the listing of a directory, `create` an open that may create. */
export type ShimOperation =
  | 'write'
  | 'read'
  | 'fdatasync'
  | 'fsync'
  | 'ftruncate'
  | 'open'
  | 'create'
  | 'rename'
  | 'mkdir'
  | 'unlink';

/** What happens to a chosen call; the delay comes first. */
export interface ShimFault {
  readonly operations: readonly ShimOperation[];
  /** A part of the paths that are meant. */
  readonly path: string;
  /** It fails with this, and does nothing. */
  readonly error?: keyof typeof constants.errno;
  /** A read or write takes no more bytes than this. */
  readonly shortBytes?: number;
  readonly delayMs?: number;
  /** The process is killed before or after the call is made. */
  readonly kill?: 'before' | 'after';
}

/** How many calls there were, and what the first that met the fault was: `write /data/…`. */
export interface ShimCounts {
  readonly seen: number;
  readonly hit: number;
  readonly where: string;
}

/** Offsets and size of `struct control` in shim.c. */
const control = { first: 0, times: 8, seen: 16, hit: 24, where: 32, bytes: 512 } as const;

/** The compiled shim. */
export class Shim {
  readonly #library: string;
  readonly #directory: string;
  #plans = 0;

  private constructor(library: string, directory: string) {
    this.#library = library;
    this.#directory = directory;
  }

  static compile(directory: string): Shim {
    const library = join(directory, 'shim.so');
    compile('shim.c', library, ['-shared', '-fPIC']);
    return new Shim(library, directory);
  }

  /** A fault for one process, which meets no call before it is armed. The caller closes it. */
  plan(fault: ShimFault): PlannedFault {
    this.#plans += 1;
    return new PlannedFault(this.#library, join(this.#directory, `control-${this.#plans}`), fault);
  }
}

/** A fault of one process, and the counts that it shares with it. */
export class PlannedFault {
  readonly surroundings: Surroundings;
  readonly #fd: number;

  constructor(library: string, file: string, fault: ShimFault) {
    this.#fd = openSync(file, 'w+');
    writeSync(this.#fd, Buffer.alloc(control.bytes));
    this.surroundings = { env: { LD_PRELOAD: library, ...variables(file, fault) } };
  }

  /** From now on the `nth` call, counted from now, and so many in all (`for ever` by default) meet it. */
  arm(nth: number, times: number | 'for ever' = 'for ever'): void {
    this.#set(control.seen, 0);
    this.#set(control.times, times === 'for ever' ? -1 : times);
    this.#set(control.first, nth);
  }

  /** No more calls meet it. */
  disarm(): void {
    this.#set(control.first, 0);
  }

  get counts(): ShimCounts {
    const bytes = Buffer.alloc(control.bytes);
    readSync(this.#fd, bytes, 0, control.bytes, 0);
    const where = bytes.subarray(control.where).toString();
    return {
      seen: Number(bytes.readBigInt64LE(control.seen)),
      hit: Number(bytes.readBigInt64LE(control.hit)),
      where: where.slice(0, where.indexOf('\0')),
    };
  }

  close(): void {
    closeSync(this.#fd);
  }

  #set(offset: number, value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    writeSync(this.#fd, bytes, 0, bytes.length, offset);
  }
}

function variables(file: string, fault: ShimFault): Readonly<Record<string, string>> {
  const { operations, path, error, shortBytes, delayMs, kill } = fault;
  return {
    FAULT_CONTROL: file,
    FAULT_OPERATIONS: operations.join(),
    FAULT_PATH: path,
    ...(error !== undefined && { FAULT_ERRNO: String(constants.errno[error]) }),
    ...(shortBytes !== undefined && { FAULT_SHORT_BYTES: String(shortBytes) }),
    ...(delayMs !== undefined && { FAULT_DELAY_MS: String(delayMs) }),
    ...(kill !== undefined && { FAULT_KILL: kill }),
  };
}
