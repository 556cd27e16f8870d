import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';

const stopMsMax = 30_000;

/** A server of someone else's that a peer needs, started and ended by its process id. */
export class Daemon {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, 'exit');
    // The runner may end in any way, and must leave nothing behind.
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
  }

  /** What it prints goes to `logFile`. `user` is who it runs as, where that is not who runs this. */
  static start(
    command: string,
    args: readonly string[],
    logFile: string,
    user?: { readonly uid: number; readonly gid: number },
  ): Daemon {
    const log = openSync(logFile, 'a');
    return new Daemon(spawn(command, args, { stdio: ['ignore', log, log], ...user }));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    if (this.hasEnded) return;
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopMsMax);
    await this.#exited;
    clearTimeout(timer);
  }
}
