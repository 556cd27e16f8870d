import type { BenchProcess } from './bench-process.ts';

/** A server under load. */
export interface BenchServer {
  readonly name: string;
  readonly process: BenchProcess;
  readonly port: number;
  /** Processes whose use of the CPU, with that of all below them, is the server's. */
  readonly cpuRoots: readonly number[];
  /** Ends all of it in its own time, and throws when that goes wrong. */
  stop(): Promise<void>;
  /** Ends all of it at once, as far as it still runs. */
  kill(): Promise<void>;
}
