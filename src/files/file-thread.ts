import { Worker } from 'node:worker_threads';
import type { FailedCall, FileReply, FileRequest, FileTask } from './file-worker.ts';
import type { Append, AppendOutcome, ManyFiles, SyncOutcome } from './many-files.ts';

interface Waiting {
  readonly resolve: (outcomes: FileReply['outcomes']) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Writes to many files in a thread of its own, which waits for the disk so that nobody else has to: through
 * promises each file costs the thread that serves requests four times as much as here.
 *
 * Invariant: everything is done in the order in which it was asked for.
 *
 * The thread is started when it is first needed. When it ends by itself, what it was asked for fails, with
 * an outcome that nobody knows, and it is started again when it is next needed.
 */
export class FileThread implements ManyFiles {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;

  /** Whether it was asked for something that it has not answered: it may hang in a call of the file system. */
  get isBusy(): boolean {
    return this.#waiting.size > 0;
  }

  async appendAll(appends: readonly Append[]): Promise<readonly AppendOutcome[]> {
    return (await this.#ask({ appends })).map((outcome) =>
      typeof outcome === 'string' ? outcome : toError(outcome),
    );
  }

  async syncAll(syncs: readonly string[]): Promise<readonly SyncOutcome[]> {
    return (await this.#ask({ syncs })).map((outcome) =>
      typeof outcome === 'string'
        ? 'done'
        : { error: toError(outcome), wasOpen: outcome.syscall !== 'open' },
    );
  }

  /** The outcome of each, once all are done. When it rejects, the thread has ended, or there was none. */
  #ask(task: FileTask): Promise<FileReply['outcomes']> {
    return new Promise((resolve, reject) => {
      this.#worker ??= this.#start();
      const worker = this.#worker;
      this.#lastId += 1;
      const request: FileRequest = { id: this.#lastId, task };
      this.#waiting.set(request.id, { resolve, reject });
      // A process that only waits for this goes on.
      worker.ref();
      worker.postMessage(request);
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL('./file-worker.js', import.meta.url), { name: 'files' });
    worker.on('message', (reply: FileReply) => {
      this.#waiting.get(reply.id)?.resolve(reply.outcomes);
      this.#waiting.delete(reply.id);
      if (!this.isBusy) worker.unref();
    });
    let cause: Error | undefined;
    worker.once('error', (error) => {
      cause = error;
    });
    // Not before: until then it may still write to a file that somebody else would mend.
    worker.once('exit', (code) => {
      this.#end(cause ?? new Error(`the thread of file calls ended with ${code}`));
    });
    return worker;
  }

  #end(error: Error): void {
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

function toError({ message, code }: FailedCall): Error {
  return Object.assign(new Error(message), { code });
}
