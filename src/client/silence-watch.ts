import { RepricerUnreachable } from './repricer-unreachable.ts';

/**
 * Ends what listens to `signal` when the service is silent for too long, or when the caller wants it.
 *
 * Invariant: after `close` there is no timer and no listener, and whatever was under way is ended.
 */
export class SilenceWatch {
  readonly #controller = new AbortController();
  readonly #silenceMs: number;
  readonly #outer: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Listens at once. Throws the outer signal's reason when it has been aborted. */
  constructor(silenceMs: number, outer: AbortSignal | undefined) {
    outer?.throwIfAborted();
    this.#silenceMs = silenceMs;
    this.#outer = outer;
    outer?.addEventListener('abort', this.#abort);
    this.listen();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From now on the service is to be heard. */
  listen(): void {
    this.rest();
    const why = `nothing came from the service for ${Math.round(this.#silenceMs)} ms`;
    const give = () => this.#controller.abort(new RepricerUnreachable(why));
    this.#timer = setTimeout(give, this.#silenceMs);
  }

  /** Nobody reads, so nothing can be heard. */
  rest(): void {
    clearTimeout(this.#timer);
  }

  /** What to tell of an error that was met under this watch: when it ended something, why it did. */
  reasonFor(error: unknown): unknown {
    return this.signal.aborted ? this.signal.reason : error;
  }

  close(): void {
    this.rest();
    this.#outer?.removeEventListener('abort', this.#abort);
    this.#controller.abort();
  }

  readonly #abort = () => this.#controller.abort(this.#outer?.reason);
}
