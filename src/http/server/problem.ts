import {
  type CurrentPrice,
  codeOf,
  type ErrorCode,
  type FieldProblem,
  RepricerError,
} from '../../errors.ts';

/** How an error is told to a client: an RFC 9457 problem. */
export interface Problem {
  /** A stable URI reference that names the kind of problem. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The broken rules of the request; empty where there is nothing to mend in it. */
  readonly errors: readonly FieldProblem[];
  /** After how many seconds the same request may well succeed. */
  readonly retryAfterSeconds: number | undefined;
  /** What the product was priced at, where that was not what the client thought. */
  readonly current: CurrentPrice | undefined;
}

export const problemMediaType = 'application/problem+json';

/**
 * Any error as a problem; of one that is not ours nothing is shown. A failed system call ends one
 * request only: a journal that cannot be written has an error of ours.
 */
export function toProblem(error: unknown): Problem {
  const code = codeOf(error);
  const kind = kinds[code];
  return {
    type: `/problems/${code.toLowerCase().replaceAll('_', '-')}`,
    title: kind.title,
    status: kind.status,
    detail: kind.detail ?? (error instanceof RepricerError ? error.message : kind.title),
    errors: error instanceof RepricerError ? error.fields : [],
    current: error instanceof RepricerError ? error.current : undefined,
    retryAfterSeconds: kind.retryAfterSeconds,
  };
}

/** With the extension members `errors`, or `currentPrice` (a number, null for none) and `version`. */
export function presentProblem(problem: Problem): string {
  const { type, title, status, detail, errors, current } = problem;
  const shown = { type, title, status, detail };
  const json = JSON.stringify(errors.length === 0 ? shown : { ...shown, errors });
  if (current === undefined) return json;
  // JSON.stringify cannot print 3.50 as a number.
  return `${json.slice(0, -1)},"currentPrice":${current.price},"version":${current.version}}`;
}

interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** What is said instead of the error's message, which for a 5xx may show internals. */
  readonly detail?: string;
  readonly retryAfterSeconds?: number;
}

const internal: ProblemKind = {
  status: 500,
  title: 'Internal error',
  detail: 'The service made a mistake; it has been logged.',
};

const kinds: Readonly<Record<ErrorCode, ProblemKind>> = {
  BAD_REQUEST: { status: 400, title: 'Bad request' },
  UNAUTHENTICATED: { status: 401, title: 'Unauthenticated' },
  SCOPE_MISSING: { status: 403, title: 'Scope missing' },
  OUTSIDE_PREFIX: { status: 403, title: 'Outside prefix' },
  // `Retry-After` is the client's own, and set by whoever refuses it.
  RATE_LIMITED: { status: 429, title: 'Rate limited' },
  NOT_FOUND: { status: 404, title: 'Not found' },
  UNKNOWN_PRODUCT: { status: 404, title: 'Unknown product' },
  UNKNOWN_RECORD: { status: 404, title: 'Unknown record' },
  NO_PRICE_YET: { status: 404, title: 'No price yet' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'Method not allowed' },
  NOT_ACCEPTABLE: { status: 406, title: 'Not acceptable' },
  REQUEST_TIMEOUT: { status: 408, title: 'Request timeout' },
  PRICE_CONFLICT: { status: 409, title: 'Price conflict' },
  IDEMPOTENCY_KEY_IN_USE: {
    status: 409,
    title: 'Idempotency key in use',
    retryAfterSeconds: 1,
  },
  PRECONDITION_FAILED: { status: 412, title: 'Precondition failed' },
  BODY_TOO_LARGE: { status: 413, title: 'Content too large' },
  MISDIRECTED: { status: 421, title: 'Misdirected request' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'Unsupported media type' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: 'Idempotency key reused' },
  FAILED_DEPENDENCY: { status: 424, title: 'Failed dependency' },
  EXPECTATION_FAILED: { status: 417, title: 'Expectation failed' },
  HEADERS_TOO_LARGE: { status: 431, title: 'Request header fields too large' },
  QUEUE_FULL: {
    status: 503,
    title: 'Queue full',
    detail: 'As many records wait to be written as the queue holds; nothing was recorded.',
    retryAfterSeconds: 1,
  },
  TOO_MANY_READS: {
    status: 503,
    title: 'Too many reads',
    detail: 'As many requests as this endpoint serves in parallel are being served.',
    retryAfterSeconds: 1,
  },
  TOO_MANY_BATCHES: {
    status: 503,
    title: 'Too many batches',
    detail:
      'As many batch requests as are served at a time are being served; nothing was recorded.',
    retryAfterSeconds: 5,
  },
  TOO_MANY_STREAMS: {
    status: 503,
    title: 'Too many streams',
    detail: 'As many streams as this endpoint serves at once are open.',
    retryAfterSeconds: 10,
  },
  BACKLOG_FULL: {
    status: 503,
    title: 'Backlog full',
    detail: 'Too many records wait for their product files; nothing was recorded.',
    retryAfterSeconds: 1,
  },
  DRAINING: {
    status: 503,
    title: 'Stopping',
    detail: 'The service is stopping and takes no new writes; nothing was recorded.',
    retryAfterSeconds: 1,
  },
  READ_ONLY: {
    status: 503,
    title: 'Read-only',
    detail: 'An operator has switched writes off for a while; nothing was recorded.',
    retryAfterSeconds: 10,
  },
  NO_SPACE: {
    status: 507,
    title: 'No space',
    detail: 'The volume has no room for the record; nothing was recorded.',
    retryAfterSeconds: 10,
  },
  STORAGE_FAILED: {
    status: 503,
    title: 'Storage failed',
    detail: 'The storage failed and takes no more writes until the service is started again.',
    retryAfterSeconds: 1,
  },
  STORAGE_BUSY: {
    status: 503,
    title: 'Storage busy',
    detail: 'A file could not be read or created just now; nothing was recorded.',
    retryAfterSeconds: 1,
  },
  PRODUCT_FILE_DAMAGED: {
    status: 503,
    title: 'Product file damaged',
    detail: "The product's file is damaged and has to be rebuilt from the journal.",
    retryAfterSeconds: 1,
  },
  JOURNAL_DAMAGED: {
    status: 500,
    title: 'Journal damaged',
    detail: 'Lines of the journal that this has to read are damaged, and nothing was recorded.',
  },
  // These end the start of a service, so a request that meets one met a mistake of ours.
  DIRECTORY_LOCKED: internal,
  INVALID_CONFIG: internal,
  INTERNAL: internal,
};
