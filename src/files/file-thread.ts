import { Worker } from 'node:worker_threads';
import type { FailedCall, FileReply, FileRequest, FileTask } from './file-worker.ts';
import {
  type Append,
  type AppendOutcome,
  type ManyFiles,
  NotStarted,
  type SyncOutcome,
} from './many-files.ts';

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
 * an outcome that nobody knows (`NotStarted` where it never ran), and it is started again when it is next needed.
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

  async syncAll(paths: readonly string[]): Promise<readonly SyncOutcome[]> {
    return (await this.#ask({ syncs: paths })).map((outcome) =>
      typeof outcome === 'string'
        ? 'done'
        : { error: toError(outcome), wasOpen: outcome.syscall !== 'open' },
    );
  }

  /** The outcome of each, once all are done. When it rejects, the thread has ended, or there was none. */
  #ask(task: FileTask): Promise<FileReply['outcomes']> {
    return new Promise((resolve, reject) => {
      const worker = this.#running();
      this.#lastId += 1;
      const request: FileRequest = { id: this.#lastId, task };
      this.#waiting.set(request.id, { resolve, reject });
      // A process that only waits for this goes on.
      worker.ref();
      worker.postMessage(request);
    });
  }

  #running(): Worker {
    try {
      this.#worker ??= this.#start();
      return this.#worker;
    } catch (cause) {
      throw new NotStarted('there is no room for a thread of file calls', { cause });
    }
  }

  #start(): Worker {
    const worker = new Worker(new URL('./file-worker.js', import.meta.url), { name: 'files' });
    worker.on('message', (reply: FileReply) => {
      this.#waiting.get(reply.id)?.resolve(reply.outcomes);
      this.#waiting.delete(reply.id);
      if (!this.isBusy) worker.unref();
    });
    let isOnline = false;
    worker.once('online', () => {
      isOnline = true;
    });
    let cause: Error | undefined;
    worker.once('error', (error) => {
      cause = error;
    });
    // Not before: until then it may still write to a file that somebody else would mend.
    worker.once('exit', (code) => {
      const what = `the thread of file calls ended with ${code}`;
      this.#end(isOnline ? (cause ?? new Error(what)) : new NotStarted(what, { cause }));
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
