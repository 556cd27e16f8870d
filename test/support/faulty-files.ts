import assert from 'node:assert';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { errnoOf } from '../../src/errors.ts';
import {
  type FileStat,
  type FileSystem,
  nodeFileSystem,
  type OpenFile,
  type VolumeRoom,
} from '../../src/files/file-system.ts';

/** The calls of `FileSystem`, then those of `OpenFile`, in which `stat` is called `fstat`. */
export type Operation =
  | 'open'
  | 'create'
  | 'list'
  | 'stat'
  | 'rename'
  | 'remove'
  | 'makeDirectory'
  | 'syncDirectory'
  | 'room'
  | 'read'
  | 'write'
  | 'datasync'
  | 'truncate'
  | 'fstat'
  | 'close';

export type Errno = keyof typeof constants.errno;

export interface Call {
  readonly operation: Operation;
  /** For a call on an open file: the path that it was opened with, also after a rename. */
  readonly path: string;
  /** Where a rename goes. A path pattern matches a rename by either path. */
  readonly to?: string;
  /** Bytes asked for (read, write), or the length to cut to (truncate). */
  readonly bytes?: number;
}

export interface FailOptions {
  /** How many matching calls fail; all of them when absent. */
  readonly times?: number;
  /** How many matching calls pass before the first one fails; none when absent. */
  readonly after?: number;
}

export interface Fault {
  stop(): void;
}

/** What every call gets once the power is lost. */
export class PowerLost extends Error {
  override readonly name = 'PowerLost';

  constructor() {
    super('the power is lost: no call of this process does anything any more');
  }
}

/**
 * A file system on the real disk, of which a test can hold, fail, shorten and count every call, and
 * forget what was not synced.
 *
 * A call is recorded first, then waits for the holds that match it, then fails when a fault matches
 * it, and only then does anything.
 */
export class FaultyFiles implements FileSystem {
  readonly #files: FileSystem;
  readonly #disk = new DurableDisk();
  readonly #calls: Call[] = [];
  readonly #holds = new Set<Hold>();
  readonly #failures = new Set<Failure>();
  readonly #shortWrites = new Set<ShortWrites>();
  readonly #running = new Set<Promise<unknown>>();
  readonly #openFiles = new Set<OpenFile>();
  #room: VolumeRoom | undefined;
  #isPowerLost = false;

  constructor(files: FileSystem = nodeFileSystem) {
    this.#files = files;
  }

  /** The calls so far, in the order of their arrival, those that failed or still wait included. */
  calls(operation?: Operation, pathPattern: RegExp = /^/): readonly Call[] {
    return this.#calls.filter((call) => matches(call, operation ?? call.operation, pathPattern));
  }

  /** Matching calls wait, before they do anything, until the hold is released. */
  hold(operation: Operation, pathPattern: RegExp): Hold {
    const hold = new Hold(operation, pathPattern);
    this.#holds.add(hold);
    return hold;
  }

  /** Matching calls throw Node's error for `errno` and do nothing; only `close` still closes the file, as on Linux. */
  fail(
    operation: Operation,
    pathPattern: RegExp,
    errno: Errno,
    { times = Number.POSITIVE_INFINITY, after = 0 }: FailOptions = {},
  ): Fault {
    return addTo(this.#failures, { operation, pathPattern, errno, times, after });
  }

  /** Takes back every `fail`. */
  stopFailing(): void {
    this.#failures.clear();
  }

  /** Matching writes put at most `bytesMax` bytes and return that count, without an error. */
  shortWrites(pathPattern: RegExp, bytesMax: number): Fault {
    assert(bytesMax > 0, 'a write puts at least one byte');
    return addTo(this.#shortWrites, { pathPattern, bytesMax });
  }

  /** What `room` says from now on; the truth again for undefined. */
  setRoom(room: VolumeRoom | undefined): void {
    this.#room = room;
  }

  /**
   * Ends the process and the machine: leaves on disk what the worst crash of an operating system with
   * an ordered journal of its metadata may leave, and nothing that it may lose.
   *
   * - A file has the bytes of its last `datasync`: none when it was created since, and what it had
   *   when it was first seen when there was no `datasync`. `truncate` is undone in the same way.
   * - A directory has the entries of its last `syncDirectory`, or those it had when it was first
   *   changed. So a new file or directory is gone, with all that is in it, when its parent was not
   *   synced since; a removed file is back; a renamed file has its old name, and the file that it
   *   replaced is back. A rename to another directory counts for each of the two once that one is
   *   synced, so the file may have both names or none.
   * - Only what had returned counts: a `datasync` or `syncDirectory` that is held or under way has
   *   done nothing, and its caller gets `PowerLost`, as does every call from now on. Open files are
   *   closed and the kernel's locks on them freed.
   *
   * Not simulated: that unsynced bytes do reach the disk, in whole, in part or out of order, or as
   * zeros; that a failed `datasync` drops pages which a later one then does not write; wrong bytes.
   * What a test changes past this object counts as durable when the directory is first seen here, and
   * is out of account after that. The change time of a file that is taken back is that of this call.
   */
  async losePower(): Promise<void> {
    this.#isPowerLost = true;
    this.#disk.freeze();
    for (const hold of this.#holds) hold.release();
    await Promise.allSettled(this.#running);
    await Promise.all([...this.#openFiles].map((file) => file.close()));
    this.#openFiles.clear();
    await this.#disk.restore();
  }

  open(path: string, mode: 'read' | 'write'): Promise<OpenFile> {
    return this.#run({ operation: 'open', path }, async () => {
      const entry = (await this.#disk.entriesAround(path)).get(basename(path));
      return this.#opened(path, await this.#files.open(path, mode), entry);
    });
  }

  create(path: string): Promise<OpenFile> {
    return this.#run({ operation: 'create', path }, async () => {
      const entries = await this.#disk.entriesAround(path);
      const inner = await this.#files.create(path);
      const file = { synced: Buffer.alloc(0) };
      entries.set(basename(path), file);
      return this.#opened(path, inner, file);
    });
  }

  list(directory: string): Promise<readonly string[]> {
    return this.#run({ operation: 'list', path: directory }, () => this.#files.list(directory));
  }

  stat(path: string): Promise<FileStat> {
    return this.#run({ operation: 'stat', path }, () => this.#files.stat(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#run({ operation: 'rename', path: from, to }, async () => {
      const source = await this.#disk.entriesAround(from);
      const target = await this.#disk.entriesAround(to);
      const file = source.get(basename(from));
      assert(file !== 'directory', 'the rename of a directory is not simulated');
      await this.#files.rename(from, to);
      source.delete(basename(from));
      if (file !== undefined) target.set(basename(to), file);
    });
  }

  remove(path: string): Promise<void> {
    return this.#run({ operation: 'remove', path }, async () => {
      const entries = await this.#disk.entriesAround(path);
      await this.#files.remove(path);
      entries.delete(basename(path));
    });
  }

  makeDirectory(path: string): Promise<void> {
    return this.#run({ operation: 'makeDirectory', path }, async () => {
      const entries = await this.#disk.entriesAround(path);
      await this.#files.makeDirectory(path);
      entries.set(basename(path), 'directory');
    });
  }

  syncDirectory(path: string): Promise<void> {
    return this.#run({ operation: 'syncDirectory', path }, () =>
      this.#disk.syncEntries(path, () => this.#files.syncDirectory(path)),
    );
  }

  room(path: string): Promise<VolumeRoom> {
    return this.#run({ operation: 'room', path }, async () => this.#room ?? this.#files.room(path));
  }

  #opened(path: string, inner: OpenFile, entry: Entry | undefined): OpenFile {
    this.#openFiles.add(inner);
    const run: Run = (operation, act, bytes) =>
      this.#run({ operation, path, ...(bytes !== undefined && { bytes }) }, act);
    return {
      fd: inner.fd,
      read: (target, position) => run('read', () => inner.read(target, position), target.length),
      write: (bytes, position) =>
        run('write', () => inner.write(this.#shorten(path, bytes), position), bytes.length),
      datasync: () => run('datasync', () => this.#disk.syncFile(entry, inner)),
      truncate: (length) => run('truncate', () => inner.truncate(length), length),
      stat: () => run('fstat', () => inner.stat()),
      close: () => this.#close(path, inner),
    };
  }

  async #close(path: string, inner: OpenFile): Promise<void> {
    const call: Call = { operation: 'close', path };
    await this.#arrive(call);
    await this.#begin(() => {
      this.#openFiles.delete(inner);
      return inner.close();
    });
    this.#failIfTold(call);
  }

  async #run<T>(call: Call, act: () => Promise<T>): Promise<T> {
    await this.#arrive(call);
    this.#failIfTold(call);
    const result = await this.#begin(act);
    this.#checkPower();
    return result;
  }

  async #arrive(call: Call): Promise<void> {
    this.#checkPower();
    this.#calls.push(call);
    for (const hold of this.#holds) {
      if (matches(call, hold.operation, hold.pathPattern)) await hold.arrived();
    }
  }

  /** Nothing is awaited between the check and the beginning, so `losePower` knows of all that runs. */
  async #begin<T>(act: () => Promise<T>): Promise<T> {
    this.#checkPower();
    const running = act();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  #failIfTold(call: Call): void {
    for (const failure of this.#failures) {
      if (!matches(call, failure.operation, failure.pathPattern)) continue;
      if (failure.after > 0) {
        failure.after -= 1;
      } else if (failure.times > 0) {
        failure.times -= 1;
        throw systemError(call, failure.errno);
      }
    }
  }

  #shorten(path: string, bytes: Buffer): Buffer {
    const limits = [...this.#shortWrites].filter(({ pathPattern }) => isMatch(path, pathPattern));
    return bytes.subarray(0, Math.min(bytes.length, ...limits.map(({ bytesMax }) => bytesMax)));
  }

  #checkPower(): void {
    if (this.#isPowerLost) throw new PowerLost();
  }
}

/** Calls that wait. */
export class Hold {
  readonly operation: Operation;
  readonly pathPattern: RegExp;
  readonly #released = new Signal();
  readonly #arrivals: Signal[] = [];
  #count = 0;

  constructor(operation: Operation, pathPattern: RegExp) {
    this.operation = operation;
    this.pathPattern = pathPattern;
  }

  /** Resolves when `count` calls have come to this hold since it was made. */
  reached(count = 1): Promise<void> {
    return this.#arrivalOf(count - 1).raised;
  }

  /** Lets the waiting calls go on, in the order of their arrival, and holds no other. */
  release(): void {
    this.#released.raise();
  }

  /** For `FaultyFiles`: resolves when the call that has come here may go on. */
  arrived(): Promise<void> {
    this.#arrivalOf(this.#count).raise();
    this.#count += 1;
    return this.#released.raised;
  }

  #arrivalOf(index: number): Signal {
    while (this.#arrivals.length <= index) this.#arrivals.push(new Signal());
    const arrival = this.#arrivals[index];
    assert(arrival !== undefined, 'a hold counts calls from 1');
    return arrival;
  }
}

type Run = <T>(operation: Operation, act: () => Promise<T>, bytes?: number) => Promise<T>;

interface Failure {
  readonly operation: Operation;
  readonly pathPattern: RegExp;
  readonly errno: Errno;
  times: number;
  after: number;
}

interface ShortWrites {
  readonly pathPattern: RegExp;
  readonly bytesMax: number;
}

/** A file by its inode: it keeps what was synced whatever name it gets. */
interface TrackedFile {
  synced: Buffer;
}

type Entry = TrackedFile | 'directory';
type Entries = Map<string, Entry>;

interface TrackedDirectory {
  readonly live: Entries;
  synced: Entries;
}

/**
 * What would be left on disk. A directory is read whole, its files included, the first time that one
 * of its entries is opened or changed; tests are small.
 */
class DurableDisk {
  readonly #directories = new Map<string, Promise<TrackedDirectory>>();
  #syncs = 0;
  readonly #lastSyncs = new WeakMap<object, number>();
  #isFrozen = false;

  /** The entries of the directory that holds `path`, as they are now; to be changed along with the disk. */
  async entriesAround(path: string): Promise<Entries> {
    const { live, synced } = await this.#directoryAt(dirname(path));
    const name = basename(path);
    const found = live.has(name) ? undefined : await entryAt(path);
    // One that the test put there since the directory was first seen: as if it had always been there.
    if (found !== undefined && !live.has(name)) {
      live.set(name, found);
      synced.set(name, found);
    }
    return live;
  }

  /** Syncs an open file. What is written meanwhile may be missed by the sync, so it does not count. */
  async syncFile(entry: Entry | undefined, inner: OpenFile): Promise<void> {
    const number = this.#nextSync();
    const content = await contentOf(inner);
    await inner.datasync();
    if (entry === undefined || entry === 'directory') return;
    if (this.#isNewest(entry, number)) entry.synced = content;
  }

  async syncEntries(path: string, sync: () => Promise<void>): Promise<void> {
    const directory = await this.#directoryAt(path);
    const number = this.#nextSync();
    const entries = new Map(directory.live);
    await sync();
    if (this.#isNewest(directory, number)) directory.synced = entries;
  }

  #nextSync(): number {
    this.#syncs += 1;
    return this.#syncs;
  }

  /** Of two syncs that overlap, the one that began first may end last; what the other made durable stays so. */
  #isNewest(synced: object, number: number): boolean {
    if (this.#isFrozen || (this.#lastSyncs.get(synced) ?? 0) > number) return false;
    this.#lastSyncs.set(synced, number);
    return true;
  }

  /** From now on nothing becomes durable. */
  freeze(): void {
    this.#isFrozen = true;
  }

  /** Takes the real disk back to what is durable. */
  async restore(): Promise<void> {
    // A directory sorts before those within it, so the ones that are gone take theirs along.
    for (const path of [...this.#directories.keys()].sort()) {
      const directory = await this.#directoryAt(path);
      if ((await entryAt(path)) === 'directory') await restoreDirectory(path, directory);
    }
  }

  #directoryAt(directory: string): Promise<TrackedDirectory> {
    const path = resolve(directory);
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const reading = readDirectory(path);
    this.#directories.set(path, reading);
    return reading;
  }
}

async function readDirectory(path: string): Promise<TrackedDirectory> {
  const live: Entries = new Map();
  for (const name of await namesIn(path)) {
    const entry = await entryAt(join(path, name));
    if (entry !== undefined) live.set(name, entry);
  }
  return { live, synced: new Map(live) };
}

/** None for a directory that is not there: it may be made later, and is empty then. */
async function namesIn(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function entryAt(path: string): Promise<Entry | undefined> {
  try {
    const isDirectory = (await stat(path)).isDirectory();
    return isDirectory ? 'directory' : { synced: await readFile(path) };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function restoreDirectory(path: string, { live, synced }: TrackedDirectory): Promise<void> {
  for (const name of live.keys()) {
    if (!synced.has(name)) await rm(join(path, name), { recursive: true, force: true });
  }
  for (const [name, entry] of synced) {
    if (entry === 'directory') continue;
    const isSame = live.get(name) === entry && (await holds(join(path, name), entry.synced));
    if (!isSame) await putFile(join(path, name), entry.synced);
  }
}

async function holds(path: string, content: Buffer): Promise<boolean> {
  const entry = await entryAt(path);
  return entry !== undefined && entry !== 'directory' && entry.synced.equals(content);
}

/** Puts a new file, as the one there may have another name as well. */
async function putFile(path: string, content: Buffer): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, content);
}

async function contentOf(file: OpenFile): Promise<Buffer> {
  const content = Buffer.alloc((await file.stat()).bytes);
  let filled = 0;
  while (filled < content.length) {
    const count = await file.read(content.subarray(filled), filled);
    if (count === 0) break;
    filled += count;
  }
  return content.subarray(0, filled);
}

/** A promise that is resolved from outside. */
class Signal {
  readonly raised: Promise<void>;
  #resolve: () => void = () => {};

  constructor() {
    this.raised = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  raise(): void {
    this.#resolve();
  }
}

function addTo<T>(faults: Set<T>, fault: T): Fault {
  faults.add(fault);
  return { stop: () => faults.delete(fault) };
}

function matches(call: Call, operation: Operation, pathPattern: RegExp): boolean {
  const paths = call.to === undefined ? [call.path] : [call.path, call.to];
  return call.operation === operation && paths.some((path) => isMatch(path, pathPattern));
}

/** Unlike `test`, the same for a pattern with the flag `g`. */
function isMatch(path: string, pattern: RegExp): boolean {
  return path.search(pattern) !== -1;
}

const syscalls: Readonly<Record<Operation, string>> = {
  open: 'open',
  create: 'open',
  list: 'scandir',
  stat: 'stat',
  rename: 'rename',
  remove: 'unlink',
  makeDirectory: 'mkdir',
  syncDirectory: 'fsync',
  room: 'statfs',
  read: 'read',
  write: 'write',
  datasync: 'fdatasync',
  truncate: 'ftruncate',
  fstat: 'fstat',
  close: 'close',
};

function systemError(call: Call, code: Errno): NodeJS.ErrnoException {
  const syscall = syscalls[call.operation];
  const error = new Error(`${code}: told to fail by a test, ${syscall} '${call.path}'`);
  return Object.assign(error, { code, syscall, path: call.path, errno: -constants.errno[code] });
}
