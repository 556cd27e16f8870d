import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A stop that takes longer is a failure, and the process is killed. */
const stopMsMax = 40_000;
/** A message comes after the longest stretch of load, a minute, and the answers that it waits for. */
const messageMsUsual = 120_000;

/** A process of the benchmark; one that ends before it is stopped fails whatever waits for it. */
export class BenchProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<string>;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    this.#exited = once(child, 'exit').then(([code, signal]) => `${name} ended: ${code ?? signal}`);
    // The runner may end in any way, and must leave nothing behind.
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
  }

  /** Runs a module of the build with Node, and with the flags that `npm start` gives. */
  static start(
    name: string,
    module: URL,
    args: readonly string[] = [],
    options: ForkOptions = {},
  ): BenchProcess {
    const execArgv = ['--enable-source-maps'];
    const child = fork(fileURLToPath(module), args, { execArgv, ...options });
    return new BenchProcess(name, child);
  }

  /** Holds the process still, so that its work in the background falls into nobody else's time. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  send(message: object): void {
    this.#child.send(message);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The next message that the process sends. Rejects when it takes too long, and when `stop` aborts. */
  async message(stop?: AbortSignal, messageMsMax = messageMsUsual): Promise<unknown> {
    const timeout = AbortSignal.timeout(messageMsMax);
    const signal = stop === undefined ? timeout : AbortSignal.any([timeout, stop]);
    const received: unknown[] = await this.whileRunning(once(this.#child, 'message', { signal }));
    return received[0];
  }

  /** Gives what `work` gives, and throws when the process ends before. */
  async whileRunning<T>(work: Promise<T>): Promise<T> {
    const ended = this.#exited.then((end) => Promise.reject(new Error(end)));
    return Promise.race([work, ended]);
  }

  /** Asks the process to stop and gives its exit code. */
  async stop(): Promise<number | null> {
    this.resume();
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopMsMax);
    await this.#exited;
    clearTimeout(timer);
    return this.#child.exitCode;
  }

  /** Ends the process at once, whatever it does, if it has not ended already. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
