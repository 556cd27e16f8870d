import type { Client } from '../../access/client.ts';
import { codeOf } from '../../errors.ts';
import type { Log } from '../../ops/log.ts';
import type { Metrics } from '../../ops/metrics.ts';
import type { Trace } from '../../ops/trace.ts';
import { toProblem } from './problem.ts';

/** The longest path that is logged, in characters. */
const loggedPathCharactersMax = 256;

/** A request that has its answer. */
export interface AnsweredRequest {
  readonly method: string;
  /** The pattern that its path matched, the same for every version of the API: labels must be few. */
  readonly route: string;
  /** Its target as it was sent. */
  readonly target: string;
  readonly status: number;
  /** When it began, on the clock of `performance.now()`. */
  readonly startedMs: number;
  readonly trace: Trace;
  readonly client: Client | undefined;
  /** What it was refused with or failed with. */
  readonly failure: unknown;
}

/** Counts and logs every request once it is answered, in one line each. */
export class RequestObserver {
  readonly #log: Log;
  readonly #metrics: Pick<Metrics, 'observeRequest'>;

  constructor(log: Log, metrics: Pick<Metrics, 'observeRequest'>) {
    this.#log = log;
    this.#metrics = metrics;
  }

  answered({ method, route, status, failure, startedMs, ...request }: AnsweredRequest): void {
    const durationMs = performance.now() - startedMs;
    const observation = { route, method, status, seconds: durationMs / 1000 };
    this.#metrics.observeRequest(
      failure === undefined ? observation : { ...observation, refusal: codeOf(failure) },
    );
    const level = levelFor(status, failure);
    if (!this.#log.isEnabled(level)) return;
    const fields = {
      method,
      route,
      path: loggedPath(request.target),
      status,
      durationMs: Math.round(durationMs * 1000) / 1000,
      traceId: request.trace.traceId,
      spanId: request.trace.spanId,
      ...actorField(request.client),
    };
    if (failure === undefined) this.#log.request(fields);
    else this.#log[level]('request', { ...fields, ...failureFields(failure, status) });
  }
}

function levelFor(status: number, failure: unknown): 'info' | 'warn' | 'error' {
  const worst = worstStatus(status, failure);
  if (worst < 500) return 'info';
  // A full queue, a full disk or a stop is told by the answer and is no mistake of ours.
  return worst === 503 || worst === 507 ? 'warn' : 'error';
}

/** The path without its query. The parser lets only printable ASCII into a target. */
function loggedPath(target: string): string {
  const end = target.indexOf('?');
  return target.slice(0, Math.min(end < 0 ? target.length : end, loggedPathCharactersMax));
}

/** Who asked: the name of the token, never the token. */
function actorField(client: Client | undefined): { readonly actor?: string } {
  return client?.name === undefined ? {} : { actor: client.name };
}

function failureFields(failure: unknown, status: number): Record<string, unknown> {
  const code = codeOf(failure);
  return worstStatus(status, failure) >= 500 ? { code, error: failure } : { code };
}

/** The failure's own, where an answer met it after its status: in a line of a batch, or where it was cut. */
function worstStatus(status: number, failure: unknown): number {
  return failure === undefined ? status : Math.max(status, toProblem(failure).status);
}
