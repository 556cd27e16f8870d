import { setTimeout as delay } from 'node:timers/promises';
import type {
  DownloadJob,
  DownloadResult,
  EnoughOfIt,
  LoadJob,
  LoadReply,
  LoadResult,
  PacedJob,
  RequestsJob,
  UploadJob,
  UploadResult,
} from '../load/load-job.ts';
import { BenchProcess } from './bench-process.ts';
import type { BenchServer } from './bench-server.ts';
import { cpuSecondsOf } from './process-cpu.ts';

/** What a stretch of load gave, and what processor time the server used for it. */
export type Loaded<Result> = Result & { readonly serverCpuSeconds: number };

type JobFor<Job extends LoadJob> = Omit<Job, 'kind' | 'port'>;

/** How often it is asked whether a paced stretch has gone on for long enough. */
const enoughPollMs = 100;

/** The load generator, and the servers that it loads one at a time while the others stand still. */
export class LoadDriver {
  readonly #stop: AbortSignal;
  readonly #generator: BenchProcess;

  /** When `stop` aborts, the stretch under way rejects, and so does every later one. */
  constructor(stop: AbortSignal) {
    this.#stop = stop;
    this.#generator = BenchProcess.start(
      'the load generator',
      new URL('../load/load-generator.js', import.meta.url),
    );
  }

  /** Throws when a status was wrong. */
  async request(server: BenchServer, job: JobFor<RequestsJob>): Promise<Loaded<LoadResult>> {
    const { port } = server;
    const result = await this.#load<LoadResult>(server, { kind: 'requests', port, ...job });
    return requireGood(server, result);
  }

  /** Goes on until `isEnough`, or the job's time is up. Throws when a status was wrong. */
  async pace(
    server: BenchServer,
    job: JobFor<PacedJob>,
    isEnough: () => Promise<boolean>,
  ): Promise<Loaded<LoadResult>> {
    const { port } = server;
    const load = this.#load<LoadResult>(server, { kind: 'paced', port, ...job });
    const [result] = await Promise.all([load, this.#endWhen(isEnough, load)]);
    return requireGood(server, result);
  }

  upload(server: BenchServer, job: JobFor<UploadJob>): Promise<Loaded<UploadResult>> {
    return this.#load(server, { kind: 'upload', port: server.port, ...job });
  }

  download(server: BenchServer, job: JobFor<DownloadJob>): Promise<Loaded<DownloadResult>> {
    return this.#load(server, { kind: 'download', port: server.port, ...job });
  }

  async kill(): Promise<void> {
    await this.#generator.kill();
  }

  /** Tells the load generator as soon as it was enough, unless the load ends before. */
  async #endWhen(isEnough: () => Promise<boolean>, load: Promise<unknown>): Promise<void> {
    const ended = new AbortController();
    load.then(
      () => ended.abort(),
      () => ended.abort(),
    );
    while (!ended.signal.aborted) {
      if (await isEnough()) {
        this.#generator.send({ kind: 'enough' } satisfies EnoughOfIt);
        return;
      }
      await delay(enoughPollMs);
    }
  }

  async #load<Result>(server: BenchServer, job: LoadJob): Promise<Loaded<Result>> {
    this.#stop.throwIfAborted();
    server.process.resume();
    const before = cpuSecondsOf(server.cpuRoots);
    this.#generator.send(job);
    const message = this.#generator.whileRunning(this.#generator.message(this.#stop));
    const reply = (await server.process.whileRunning(message)) as LoadReply;
    const serverCpuSeconds = cpuSecondsOf(server.cpuRoots) - before;
    server.process.pause();
    if ('problem' in reply) throw new Error(`${server.name}: ${reply.problem}`);
    return { ...(reply.result as Result), serverCpuSeconds };
  }
}

function requireGood<Result extends LoadResult>(server: BenchServer, result: Result): Result {
  const { badStatuses } = result;
  if (Object.keys(badStatuses).length === 0) return result;
  throw new Error(`${server.name}: wrong statuses ${JSON.stringify(badStatuses)}`);
}
