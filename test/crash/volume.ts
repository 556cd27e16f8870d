import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../../src/errors.ts';
import { compile } from './compile.ts';
import type { TrialOwner } from './trial-owner.ts';

const mebibyte = 1024 * 1024;

/**
 * A file system of its own, mounted on `directory`, with faults that only a real one can show.
 *
 * It is unmounted when its owner ends. A fault that needs mounts has a mount namespace of its own, so
 * the kernel unmounts it, and lets go of its loop device, also when the fault's processes are killed.
 */
export class Volume {
  readonly directory: string;
  readonly #mountArguments: readonly string[];
  /** The one that holds this one's device, of a thin volume. */
  #device: Volume | undefined;
  #isMounted = false;

  private constructor(owner: TrialOwner, directory: string, mountArguments: readonly string[]) {
    this.directory = directory;
    this.#mountArguments = mountArguments;
    mkdirSync(directory, { recursive: true });
    owner.teardown(() => this.unmount());
    this.mount();
  }

  /** In memory, with room for so many bytes and files; 0 for no bound of its own. */
  static tmpfs(owner: TrialOwner, directory: string, bytes: number, files = 0): Volume {
    const options = `size=${bytes},nr_inodes=${files}`;
    return new Volume(owner, directory, ['-t', 'tmpfs', '-o', options, 'tmpfs']);
  }

  /** An ext4 on a loop device, whose image is the file `${directory}.image`. */
  static ext4(owner: TrialOwner, directory: string, bytes = 32 * mebibyte): Volume {
    const image = `${directory}.image`;
    makeExt4(image, bytes, ['-E', 'lazy_itable_init=1,nodiscard']);
    return new Volume(owner, directory, ['-o', 'loop,errors=remount-ro', image]);
  }

  /**
   * An ext4 that believes in more bytes than its device has: a write is taken, and fails later on its
   * way to the device. `deviceBytes` have to hold the file system's own tables besides the data.
   */
  static thin(owner: TrialOwner, directory: string, deviceBytes: number): Volume {
    const device = Volume.tmpfs(owner, `${directory}.device`, deviceBytes);
    const image = join(device.directory, 'image');
    makeExt4(image, 64 * mebibyte, ['-J', 'size=4', '-E', 'lazy_itable_init=1,nodiscard']);
    const volume = new Volume(owner, directory, ['-o', 'loop,errors=continue', image]);
    volume.#device = device;
    return volume;
  }

  mount(): void {
    execFileSync('mount', [...this.#mountArguments, this.directory]);
    this.#isMounted = true;
  }

  unmount(): void {
    if (!this.#isMounted) return;
    this.#isMounted = false;
    execFileSync('umount', [this.directory]);
  }

  /** What a file system that was cut off finds when the power is back. */
  remount(): void {
    this.unmount();
    this.mount();
  }

  /** An error in its structures, after which an ext4 takes no more writes. */
  failFileSystem(): void {
    writeFileSync(`/sys/fs/ext4/${this.#deviceName()}/trigger_fs_error`, 'a planted error');
  }

  /** Gives the device of a thin volume room for so many bytes. */
  growDevice(bytes: number): void {
    const directory = this.#device?.directory ?? '';
    execFileSync('mount', ['-o', `remount,size=${bytes}`, directory]);
  }

  /** Takes all room for files' content but so many bytes, until `makeRoom`. */
  fill(bytesLeft: number): void {
    const { bavail, bsize } = statfsSync(this.directory);
    const bytes = Math.max(0, bavail * bsize - bytesLeft);
    hadRoom(() => writeFileSync(this.#ballast, Buffer.alloc(bytes), { flush: true }));
  }

  /** Takes all its files but so many, until `makeRoom`. */
  fillFiles(filesLeft: number): void {
    mkdirSync(this.#ballast);
    // One look for each, as the service makes files beside us.
    for (let file = 0; statfsSync(this.directory).ffree > filesLeft; file += 1) {
      if (!hadRoom(() => writeFileSync(join(this.#ballast, `${file}`), ''))) return;
    }
  }

  makeRoom(): void {
    rmSync(this.#ballast, { recursive: true });
  }

  get #ballast(): string {
    return join(this.directory, 'ballast');
  }

  /**
   * For so long every write and sync waits; resolves when it has begun. It is ended by a process that
   * outlives this one and its group, as a frozen file system could never be unmounted.
   */
  async freezeFor(ms: number): Promise<void> {
    const script = 'fsfreeze -f "$0" && echo frozen; sleep "$1"; fsfreeze -u "$0"';
    const child = spawn('sh', ['-c', script, this.directory, String(ms / 1000)], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
  }

  /** As `loop0`. */
  #deviceName(): string {
    const mount = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .find((line) => line.split(' ')[1] === this.directory);
    const device = mount?.split(' ')[0]?.replace('/dev/', '');
    if (device === undefined) throw new Error(`${this.directory} is not mounted`);
    return device;
  }
}

/** Cuts the power of volumes. */
export class PowerSwitch {
  readonly #program: string;

  private constructor(program: string) {
    this.#program = program;
  }

  static compile(directory: string): PowerSwitch {
    const program = join(directory, 'cut-power');
    compile('cut-power.c', program);
    return new PowerSwitch(program);
  }

  /**
   * Cuts off an ext4 with all that is not on its device, and kills a process that uses it. The process
   * is stopped before, so that it can tell nobody of anything after the cut.
   */
  cut(volume: Volume, pid: number): void {
    process.kill(pid, 'SIGSTOP');
    while (!isStopped(pid));
    execFileSync(this.#program, [volume.directory]);
    process.kill(pid, 'SIGKILL');
  }
}

/**
 * Whether its main thread, which sends the answers, stands still. The others may be inside a sync, which
 * the cut then breaks off: waiting for them would let it through, and hide an answer that was sent too soon.
 */
function isStopped(pid: number): boolean {
  return /^State:\tT/m.test(readFileSync(`/proc/${pid}/task/${pid}/status`, 'utf8'));
}

function makeExt4(image: string, bytes: number, options: readonly string[]): void {
  writeFileSync(image, '');
  truncateSync(image, bytes);
  // Nothing is kept for root, as whom the service runs here: to it a full volume would not be one.
  execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', ...options, image]);
}

/** The service takes room beside us, so what was free a moment ago may not be: then it is as full as was wanted. */
function hadRoom(write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    if (errnoOf(error) !== 'ENOSPC') throw error;
    return false;
  }
}
