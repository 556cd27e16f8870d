import { type ChildProcess, spawn } from 'node:child_process';
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Owner } from './owner.ts';

/** The built program beside the built tests. */
export const mainFile = fileURLToPath(new URL('../../src/main.js', import.meta.url));

const requestLinesMax = 1000;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** How a process ended. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A request that got no whole answer. */
export class BrokenConnection extends Error {
  override readonly name = 'BrokenConnection';
  /** Whether the connection had been accepted before, for an earlier request. */
  readonly wasInUse: boolean;

  constructor(cause: Error, wasInUse: boolean) {
    super(cause.message, { cause });
    this.wasInUse = wasInUse;
  }
}

/** What a process is started in. */
export interface Surroundings {
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command that ends by executing its arguments: `['faketime', '-1h']`. */
  readonly wrapper?: readonly string[];
}

/** A `repricer serve` of its own process, on any free ports. */
export class ChildService {
  readonly #child: ChildProcess;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 200 });
  /** All but answered requests past the first thousand, which under load would fill the memory. */
  readonly logLines: Record<string, unknown>[] = [];
  readonly exited: Promise<End>;
  #waiting: (() => void)[] = [];
  #requestLines = 0;
  port = 0;
  backplanePort = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.exited = endOf(child);
    void this.exited.then(() => this.#wake());
    if (child.stdout === null) throw new Error('the child has no output');
    createInterface(child.stdout).on('line', (line) => {
      this.#take(JSON.parse(line) as Record<string, unknown>);
    });
  }

  /** Starts it and resolves once it is ready. It is killed when its owner ends, if it still runs. */
  static async start(
    owner: Owner,
    directory: string,
    flags: readonly string[] = [],
    surroundings: Surroundings = {},
  ): Promise<ChildService> {
    const service = ChildService.launch(owner, directory, flags, surroundings);
    await service.ready();
    return service;
  }

  /** Starts it without waiting for anything. */
  static launch(
    owner: Owner,
    directory: string,
    flags: readonly string[] = [],
    { env = {}, wrapper = [] }: Surroundings = {},
  ): ChildService {
    const ports = ['--port', '0', '--backplane-port', '0', '--free-bytes-min', '0'];
    const serve = [mainFile, 'serve', '--data-dir', directory, ...ports, ...flags];
    const [command = '', ...args] = [...wrapper, process.execPath, ...serve];
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    const service = new ChildService(child);
    owner.teardown(() => service.kill('SIGKILL'));
    return service;
  }

  /** Whether it comes to serve; false when it ends before. */
  becomesReady(): Promise<boolean> {
    return this.ready().then(
      () => true,
      () => false,
    );
  }

  /** Resolves once it serves; rejects when it ends before. */
  async ready(): Promise<void> {
    const ready = await this.logLine('ready');
    this.port = Number(ready['port']);
    this.backplanePort = Number(ready['backplanePort']);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Sends a signal and resolves when the process has ended. */
  async kill(signal: NodeJS.Signals): Promise<End> {
    this.#child.kill(signal);
    const end = await this.exited;
    this.#agent.destroy();
    return end;
  }

  /** Closes the connections of requests that were answered: a stop waits for them a while. */
  hangUp(): void {
    this.#agent.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The first log line with this message; rejects when the process ends without one. */
  async logLine(message: string): Promise<Record<string, unknown>> {
    const hasEnded = this.exited.then(() => true);
    for (;;) {
      const line = this.logLines.find((candidate) => candidate['message'] === message);
      if (line !== undefined) return line;
      const woken = new Promise<false>((resolve) => {
        this.#waiting.push(() => resolve(false));
      });
      if ((await Promise.race([hasEnded, woken])) && !this.#hasLine(message)) {
        throw new Error(`it ended without "${message}": ${JSON.stringify(this.logLines)}`);
      }
    }
  }

  reprice(productId: string, price: string): Promise<Answer> {
    return this.send(
      'POST',
      '/api/reprice',
      `{"productId":${JSON.stringify(productId)},"price":${price}}`,
    );
  }

  get(path: string): Promise<Answer> {
    return this.send('GET', path);
  }

  send(method: string, path: string, body?: string, headers = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const breakOff = (error: Error) => reject(new BrokenConnection(error, sent.reusedSocket));
      const sent = request(
        {
          host: '127.0.0.1',
          port: this.port,
          method,
          path,
          agent: this.#agent,
          headers: {
            ...(body !== undefined && { 'content-type': 'application/json' }),
            ...headers,
          },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part) => {
            text += part;
          });
          response.on('error', breakOff).on('end', () => {
            const { statusCode: status = 0, headers: answered } = response;
            resolve({ status, headers: answered, body: text });
          });
        },
      );
      sent.on('error', breakOff).end(body);
    });
  }

  #take(line: Record<string, unknown>): void {
    if (line['message'] === 'request' && line['level'] !== 'error') {
      if (this.#requestLines >= requestLinesMax) return;
      this.#requestLines += 1;
    }
    this.logLines.push(line);
    this.#wake();
  }

  #hasLine(message: string): boolean {
    return this.logLines.some((line) => line['message'] === message);
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** Runs a command of the program to its end. */
export async function runMain(
  args: readonly string[],
  { env = {} }: Pick<Surroundings, 'env'> = {},
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [mainFile, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (part) => {
    stdout += part;
  });
  child.stderr.on('data', (part) => {
    stderr += part;
  });
  const { code } = await endOf(child);
  return { code, stdout, stderr };
}

function endOf(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}
