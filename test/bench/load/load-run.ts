import { quantile } from '../report/statistics.ts';
import { HttpConnection } from './http-connection.ts';
import { goodStatus, type LoadResult, type RequestsJob } from './load-job.ts';
import { watchOwnCpu } from './own-cpu.ts';
import { makeRequests } from './requests.ts';

/** More answers than any server here gives in a stretch; counted beyond, but without their latency. */
const latenciesMax = 4_000_000;

/** Fewer than after which the service ends a connection. */
const requestsOnConnectionMax = 5000;

/**
 * Keeps every connection busy: each sends its next request when the last is answered. When the time is
 * up no more are sent, and the stretch ends with the last answer.
 */
export class LoadRun {
  readonly #job: RequestsJob;
  readonly #requests: readonly Buffer[];
  readonly #latenciesMs = new Float64Array(latenciesMax);
  readonly #badStatuses: Record<string, number> = {};
  readonly #connections = new Set<HttpConnection>();
  #answers = 0;
  #good = 0;
  #refused = 0;
  #sent = 0;
  #endMs = 0;
  #allAnswered: () => void = () => {};
  #failed: (error: Error) => void = () => {};

  constructor(job: RequestsJob) {
    this.#job = job;
    this.#requests = makeRequests(job.requests, job.port);
  }

  /** Rejects when a connection breaks, or when an answer takes longer than `answerMsMax` past the end. */
  async run(answerMsMax: number): Promise<LoadResult> {
    const finished = new Promise<void>((resolve, reject) => {
      this.#allAnswered = resolve;
      this.#failed = reject;
    });
    const overdue = () => this.#failed(new Error('an answer is missing'));
    const timer = setTimeout(overdue, this.#job.seconds * 1000 + answerMsMax);
    try {
      const senders = await this.#open();
      const startMs = performance.now();
      const cpu = watchOwnCpu();
      this.#endMs = startMs + this.#job.seconds * 1000;
      for (const send of senders) send();
      await finished;
      return this.#result((performance.now() - startMs) / 1000, cpu());
    } finally {
      clearTimeout(timer);
      for (const connection of this.#connections) connection.close();
    }
  }

  async #open(): Promise<readonly (() => void)[]> {
    const senders: (() => void)[] = [];
    for (let count = 0; count < this.#job.connections; count += 1)
      senders.push(await this.#openOne());
    return senders;
  }

  /** A function that sends the next request on a connection of its own, and goes on after each answer. */
  async #openOne(): Promise<() => void> {
    let sentMs = 0;
    let sentHere = 0;
    const good: number = goodStatus[this.#job.requests.route];
    const onAnswer = (status: number) => {
      const nowMs = performance.now();
      this.#answers += 1;
      if (status === good) this.#noteGood(nowMs - sentMs);
      else if (status === 503 && this.#job.mayRefuse) this.#refused += 1;
      else this.#badStatuses[status] = (this.#badStatuses[status] ?? 0) + 1;
      if (nowMs < this.#endMs || this.#isUnfinished()) sendNext();
      else if (this.#answers === this.#sent) this.#allAnswered();
    };
    const { port } = this.#job;
    const connect = () => HttpConnection.open(port, onAnswer, (error) => this.#failed(error));
    let connection = await connect();
    this.#connections.add(connection);
    const send = () => {
      sentMs = performance.now();
      const request = this.#requests[this.#sent % this.#requests.length];
      this.#sent += 1;
      sentHere += 1;
      if (request !== undefined) connection.send(request);
    };
    const reconnect = async () => {
      this.#connections.delete(connection);
      connection.close();
      connection = await connect();
      this.#connections.add(connection);
      sentHere = 0;
      send();
    };
    const sendNext = () => {
      if (sentHere < requestsOnConnectionMax) send();
      else reconnect().catch(this.#failed);
    };
    return send;
  }

  #noteGood(latencyMs: number): void {
    this.#latenciesMs[this.#good] = latencyMs;
    this.#good += 1;
  }

  #isUnfinished(): boolean {
    return this.#job.sendsAll && this.#sent < this.#requests.length;
  }

  #result(seconds: number, clientCpu: number): LoadResult {
    const sorted = this.#latenciesMs.subarray(0, Math.min(this.#good, latenciesMax)).sort();
    return {
      answers: this.#good,
      refused: this.#refused,
      seconds,
      badStatuses: this.#badStatuses,
      p50Ms: quantile(sorted, 0.5),
      p99Ms: quantile(sorted, 0.99),
      p999Ms: quantile(sorted, 0.999),
      clientCpu,
    };
  }
}
