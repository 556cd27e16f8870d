import { existsSync, readFileSync } from 'node:fs';
import type { Surroundings } from '../support/child-service.ts';
import { until } from './until.ts';

/** What a process says of itself. */
export interface ProbeReading {
  readonly pid: number;
  /** Time on a processor since its start, which a busy machine does not lengthen. */
  readonly cpuMs: number;
  /** What is in use on the heap; after a collection unless the process was ending. */
  readonly heapBytes: number;
  /** Handles and requests that keep its event loop alive. */
  readonly resources: number;
}

/** Looks into service processes from within: when they are asked, and when they end by themselves. */
export class Probe {
  readonly #file: string;

  /** The file takes the readings, and belongs outside the data directory. */
  constructor(file: string) {
    this.#file = file;
  }

  /** For the processes that are to be looked into. */
  get surroundings(): Surroundings {
    const module = new URL('./probe-in-process.js', import.meta.url);
    return { env: { NODE_OPTIONS: `--import=${module.href}`, PROBE_FILE: this.#file } };
  }

  /** Collects the garbage of a process and reads what is left. */
  async read(pid: number): Promise<ProbeReading> {
    const before = this.#of(pid).length;
    process.kill(pid, 'SIGUSR2');
    await until('the process has answered the probe', () => this.#of(pid).length > before);
    return this.last(pid);
  }

  /** The last reading of a process. */
  last(pid: number): ProbeReading {
    const reading = this.#of(pid).at(-1);
    if (reading === undefined) throw new Error(`process ${pid} left no reading`);
    return reading;
  }

  #of(pid: number): readonly ProbeReading[] {
    if (!existsSync(this.#file)) return [];
    const lines = readFileSync(this.#file, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as ProbeReading).filter((one) => one.pid === pid);
  }
}
