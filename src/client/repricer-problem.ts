import { AnswerFields, UnreadableAnswer } from './answer-fields.ts';
import { readRetryAfter } from './retry-after.ts';

/** One broken rule of a request: where (an RFC 6901 pointer as URI fragment) and what. */
export interface FieldProblem {
  readonly pointer: string;
  readonly detail: string;
}

export interface ProblemFields {
  readonly status: number;
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  readonly errors?: readonly FieldProblem[];
  readonly currentPrice?: string | null;
  readonly version?: number;
  readonly retryAfterMs?: number | undefined;
}

/**
 * A refusal by the service (RFC 9457), or by something that stands before it, whose `type` is
 * `about:blank` then. Decide by `type` or `status`, never by the texts.
 */
export class RepricerProblem extends Error {
  override readonly name = 'RepricerProblem';
  readonly status: number;
  /** Such as `/problems/price-conflict`. */
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  /** The broken rules of the request; empty where there is nothing to mend in it. */
  readonly errors: readonly FieldProblem[];
  /** For a price conflict: the price in force, null where there is none. */
  readonly currentPrice: string | null | undefined;
  /** For a price conflict: the version of that price, 0 where there is none. */
  readonly version: number | undefined;
  /** How long to wait at least before the same request is sent again. */
  readonly retryAfterMs: number | undefined;

  constructor(fields: ProblemFields) {
    const { status, type, title, detail, errors = [] } = fields;
    super(`${status} ${title}: ${detail}`);
    this.status = status;
    this.type = type;
    this.title = title;
    this.detail = detail;
    this.errors = errors;
    this.currentPrice = fields.currentPrice;
    this.version = fields.version;
    this.retryAfterMs = fields.retryAfterMs;
  }
}

/** What an answer with an error status says. */
export function problemOf(response: Response, body: string): RepricerProblem {
  const retryAfterMs = readRetryAfter(response.headers);
  const { status, statusText } = response;
  try {
    return readProblem(AnswerFields.parse(body), retryAfterMs);
  } catch (error) {
    if (!(error instanceof UnreadableAnswer)) throw error;
    const title = statusText === '' ? `HTTP status ${status}` : statusText;
    const detail = 'The answer did not come from Repricer itself.';
    return new RepricerProblem({ status, type: 'about:blank', title, detail, retryAfterMs });
  }
}

export function readProblem(fields: AnswerFields, retryAfterMs?: number): RepricerProblem {
  return new RepricerProblem({
    status: fields.number('status'),
    type: fields.text('type'),
    title: fields.text('title'),
    detail: fields.text('detail'),
    errors: fields.has('errors') ? fields.list('errors').map(readFieldProblem) : [],
    ...(fields.has('currentPrice') && { currentPrice: fields.decimalOrNull('currentPrice') }),
    ...(fields.has('version') && { version: fields.number('version') }),
    retryAfterMs,
  });
}

function readFieldProblem(value: unknown): FieldProblem {
  const fields = AnswerFields.of(value);
  return { pointer: fields.text('pointer'), detail: fields.text('detail') };
}
