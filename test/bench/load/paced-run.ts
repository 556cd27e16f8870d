import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from '../report/statistics.ts';
import { HttpConnection } from './http-connection.ts';
import { goodStatus, type LoadResult, type PacedJob } from './load-job.ts';
import { watchOwnCpu } from './own-cpu.ts';
import { makeRequests } from './requests.ts';

/** How often it is looked whether requests are due. */
const tickMs = 1;

/**
 * Sends requests at a fixed rate, whatever the server does: one that is due while all connections are
 * busy waits for the next that is free, and its latency counts from when it was due. So a server that
 * halts for a moment is seen by all requests of that moment, and not by one for each connection.
 */
export class PacedRun {
  readonly #job: PacedJob;
  readonly #requests: readonly Buffer[];
  readonly #latenciesMs: number[] = [];
  readonly #badStatuses: Record<string, number> = {};
  readonly #connections: HttpConnection[] = [];
  /** Those of the connections that are free, in the order in which they became so. */
  readonly #free: ((dueMs: number) => void)[] = [];
  /** When each of the requests became due that no connection was free for. */
  readonly #waiting: number[] = [];
  readonly #failure = new AbortController();
  #due = 0;
  #sent = 0;
  #answers = 0;

  constructor(job: PacedJob) {
    this.#job = job;
    this.#requests = makeRequests(job.requests, job.port);
  }

  /**
   * Ends with the last answer once `enough` aborts, or the time is up. Rejects when a connection breaks,
   * or when an answer takes longer than `answerMsMax` past the end.
   */
  async run(answerMsMax: number, enough: AbortSignal): Promise<LoadResult> {
    try {
      for (let count = 0; count < this.#job.connections; count += 1) await this.#openOne();
      const startMs = performance.now();
      const cpu = watchOwnCpu();
      await this.#keepPace(startMs, answerMsMax, enough);
      return this.#result((performance.now() - startMs) / 1000, cpu());
    } finally {
      for (const connection of this.#connections) connection.close();
    }
  }

  async #openOne(): Promise<void> {
    let dueMs = 0;
    const good: number = goodStatus[this.#job.requests.route];
    const onAnswer = (status: number) => {
      this.#answers += 1;
      if (status === good) this.#latenciesMs.push(performance.now() - dueMs);
      else this.#badStatuses[status] = (this.#badStatuses[status] ?? 0) + 1;
      this.#free.push(send);
      this.#sendWaiting();
    };
    const onFailure = (error: Error) => this.#failure.abort(error);
    const connection = await HttpConnection.open(this.#job.port, onAnswer, onFailure);
    const send = (ms: number) => {
      dueMs = ms;
      const request = this.#requests[this.#sent % this.#requests.length];
      this.#sent += 1;
      if (request !== undefined) connection.send(request);
    };
    this.#connections.push(connection);
    this.#free.push(send);
  }

  async #keepPace(startMs: number, answerMsMax: number, enough: AbortSignal): Promise<void> {
    const endMs = startMs + this.#job.seconds * 1000;
    let isOver = false;
    while (!isOver || this.#answers < this.#due) {
      await delay(tickMs);
      this.#failure.signal.throwIfAborted();
      const nowMs = performance.now();
      if (nowMs > endMs + answerMsMax) throw new Error('an answer is missing');
      isOver ||= enough.aborted || nowMs >= endMs;
      if (isOver) continue;
      const due = Math.floor(((nowMs - startMs) * this.#job.perSecond) / 1000);
      for (; this.#due < due; this.#due += 1) this.#waiting.push(nowMs);
      this.#sendWaiting();
    }
  }

  #sendWaiting(): void {
    while (this.#free.length > 0 && this.#waiting.length > 0) {
      this.#free.shift()?.(this.#waiting.shift() ?? Number.NaN);
    }
  }

  #result(seconds: number, clientCpu: number): LoadResult {
    const sorted = Float64Array.from(this.#latenciesMs).sort();
    return {
      ...{ answers: sorted.length, refused: 0, seconds, badStatuses: this.#badStatuses },
      p50Ms: quantile(sorted, 0.5),
      p99Ms: quantile(sorted, 0.99),
      p999Ms: quantile(sorted, 0.999),
      clientCpu,
    };
  }
}
