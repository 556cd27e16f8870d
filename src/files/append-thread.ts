import { Worker } from 'node:worker_threads';
import type { Append, AppendOutcome } from './append.ts';
import type { AppendReply, AppendRequest } from './append-worker.ts';

interface Waiting {
  readonly resolve: (outcomes: readonly AppendOutcome[]) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Appends to many files in a thread of its own, which waits for the disk so that nobody else has to: through
 * promises each file costs the thread that serves requests four times as much as here.
 *
 * Invariant: each file is added to in the order in which it was asked for.
 *
 * The thread is started when it is first needed. When it ends by itself, what it was asked for fails, with
 * an outcome that nobody knows, and it is started again when it is next needed.
 */
export class AppendThread {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;

  /** Whether it was asked for something that it has not answered: it may hang in a call of the file system. */
  get isBusy(): boolean {
    return this.#waiting.size > 0;
  }

  /** The outcome of each, once all are done. When it rejects, the thread has ended, or there was none. */
  appendAll(appends: readonly Append[]): Promise<readonly AppendOutcome[]> {
    return new Promise((resolve, reject) => {
      this.#worker ??= this.#start();
      const worker = this.#worker;
      this.#lastId += 1;
      const request: AppendRequest = { id: this.#lastId, appends };
      this.#waiting.set(request.id, { resolve, reject });
      // A process that only waits for this goes on.
      worker.ref();
      worker.postMessage(request);
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL('./append-worker.js', import.meta.url), { name: 'appends' });
    worker.on('message', (reply: AppendReply) => {
      this.#answer(reply);
      if (!this.isBusy) worker.unref();
    });
    let cause: Error | undefined;
    worker.once('error', (error) => {
      cause = error;
    });
    // Not before: until then it may still write to a file that somebody else would mend.
    worker.once('exit', (code) => {
      this.#end(cause ?? new Error(`the thread of appends ended with ${code}`));
    });
    return worker;
  }

  #answer({ id, outcomes }: AppendReply): void {
    this.#waiting.get(id)?.resolve(outcomes.map(toOutcome));
    this.#waiting.delete(id);
  }

  #end(error: Error): void {
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

function toOutcome(outcome: AppendReply['outcomes'][number]): AppendOutcome {
  return typeof outcome === 'string'
    ? outcome
    : Object.assign(new Error(outcome.message), { code: outcome.code });
}
