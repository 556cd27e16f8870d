import { HttpConnection } from './http-connection.ts';
import { goodStatus, type LoadJob, type LoadResult } from './load-job.ts';
import { makeRequests } from './requests.ts';
import { quantile } from './statistics.ts';

/** More answers than any server here gives in a stretch; counted beyond, but without their latency. */
const latenciesMax = 4_000_000;

/**
 * Keeps every connection busy: each sends its next request when the last is answered. When the time is
 * up no more are sent, and the stretch ends with the last answer.
 */
export class LoadRun {
  readonly #job: LoadJob;
  readonly #requests: readonly Buffer[];
  readonly #latenciesMs = new Float64Array(latenciesMax);
  readonly #badStatuses: Record<string, number> = {};
  readonly #connections: HttpConnection[] = [];
  #answers = 0;
  #sent = 0;
  #endMs = 0;
  #allAnswered: () => void = () => {};
  #failed: (error: Error) => void = () => {};

  constructor(job: LoadJob) {
    this.#job = job;
    this.#requests = makeRequests(job);
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
      const startCpu = process.cpuUsage();
      this.#endMs = startMs + this.#job.seconds * 1000;
      for (const send of senders) send();
      await finished;
      return this.#result((performance.now() - startMs) / 1000, process.cpuUsage(startCpu));
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

  async #openOne(): Promise<() => void> {
    let sentMs = 0;
    const good: number = goodStatus[this.#job.route];
    const onAnswer = (status: number) => {
      const nowMs = performance.now();
      this.#latenciesMs[this.#answers] = nowMs - sentMs;
      this.#answers += 1;
      if (status !== good) this.#badStatuses[status] = (this.#badStatuses[status] ?? 0) + 1;
      if (nowMs < this.#endMs || this.#isWarmingUp()) send();
      else if (this.#answers === this.#sent) this.#allAnswered();
    };
    const { port } = this.#job;
    const connection = await HttpConnection.open(port, onAnswer, (error) => this.#failed(error));
    const send = () => {
      sentMs = performance.now();
      const request = this.#requests[this.#sent % this.#requests.length];
      this.#sent += 1;
      if (request !== undefined) connection.send(request);
    };
    this.#connections.push(connection);
    return send;
  }

  #isWarmingUp(): boolean {
    return this.#job.isWarmUp && this.#sent < this.#requests.length;
  }

  #result(seconds: number, cpu: NodeJS.CpuUsage): LoadResult {
    const sorted = this.#latenciesMs.subarray(0, Math.min(this.#answers, latenciesMax)).sort();
    return {
      answers: this.#answers,
      seconds,
      badStatuses: this.#badStatuses,
      p50Ms: quantile(sorted, 0.5),
      p99Ms: quantile(sorted, 0.99),
      clientCpu: (cpu.user + cpu.system) / 1e6 / seconds,
    };
  }
}
