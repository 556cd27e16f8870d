import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Owner } from '../support/owner.ts';

/** What a client does until it is told to stop. */
export interface Load {
  readonly port: number;
  readonly host?: string;
  /** Requests at a time, each on a connection of its own. */
  readonly connections: number;
  /** Product ids are `p0` … */
  readonly products: number;
  /** Of a hundred requests, how many are reads; 20 when absent. */
  readonly readPercent?: number;
  /** A connection that breaks ends its part of the load, or begins again after a moment. */
  readonly onBroken: 'end' | 'again';
  /** A request without an answer for so long is given up; 10,000 when absent. */
  readonly timeoutMs?: number;
  /** Gives each write a key and sends it again until it is acknowledged; false when absent. */
  readonly isInsisting?: boolean;
  /** Ends after so many writes in all; without bound when absent. */
  readonly writesMax?: number;
}

/** What came of a load: requests by outcome, and how long the answered ones took. */
export interface LoadResult {
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  /** Writes that were sent again. */
  readonly resent: number;
  /** Writes whose connection was never made. */
  readonly unsent: number;
  /** Reads that were answered with 200 or 404. */
  readonly reads: number;
  /** All others: what was sent and got no whole answer, what could not be sent, and any other answer. */
  readonly failedReads: number;
  /** Those among them that were sent and got no whole answer. */
  readonly unansweredReads: number;
  /** Requests that were the first of a connection and got no answer: the service may never have seen it. */
  readonly brokenAtFirst: number;
  /** Writes by the status that answered them. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Of writes that were answered. */
  readonly latencyMs: Spread;
  /** Of reads that were answered. */
  readonly readMs: Spread;
  /** Of the refused ones among them. */
  readonly refusalMs: Spread;
}

/** Of many times; 0 when there are none. */
export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * A client in a process of its own, which writes down what it asked for and what it was told, in the
 * form of `Operation`, and survives whatever is done to the service. Its prices are its own: no two
 * clients of one store may have the same number.
 */
export class Client {
  readonly log: string;
  readonly #child: ChildProcess;

  constructor(owner: Owner, log: string, number: number) {
    this.log = log;
    // Also of a client that has done nothing there is a log to read.
    writeFileSync(log, '', { flag: 'a' });
    const module = fileURLToPath(new URL('./client-process.js', import.meta.url));
    this.#child = fork(module, [log, String(number)]);
    owner.teardown(() => this.#child.kill('SIGKILL'));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when the load has ended, with everything written to the log. */
  async load(load: Load): Promise<LoadResult> {
    const ended = once(this.#child, 'message');
    this.#child.send(load);
    const [result] = (await ended) as [LoadResult];
    return result;
  }

  /** Asks the load to end: requests under way get their answers first. */
  stop(): void {
    this.#child.send('stop');
  }
}
