/** Why an operation was refused or failed. One line per code: when it is thrown. */
export type ErrorCode =
  /** The request's body, query or path broke a rule; `fields` says which. */
  | 'BAD_REQUEST'
  /** The request brings no token, or one that nobody knows. */
  | 'UNAUTHENTICATED'
  /** The client's token lacks the scope of the route. */
  | 'SCOPE_MISSING'
  /** The client's token is for other products. */
  | 'OUTSIDE_PREFIX'
  /** The client asks more often than it may. */
  | 'RATE_LIMITED'
  /** No route has this path. */
  | 'NOT_FOUND'
  /** No price was ever recorded for the product. */
  | 'UNKNOWN_PRODUCT'
  /** No record has this seq yet. */
  | 'UNKNOWN_RECORD'
  /** The product's first price came after the moment that was asked for. */
  | 'NO_PRICE_YET'
  /** The request is for another name than those by which this machine knows itself. */
  | 'MISDIRECTED'
  /** The path exists, the method does not. */
  | 'METHOD_NOT_ALLOWED'
  /** The client accepts none of the forms that the route can answer in. */
  | 'NOT_ACCEPTABLE'
  /** The client took longer than the request timeout to send its request. */
  | 'REQUEST_TIMEOUT'
  /** `If-Match` or `If-None-Match` did not hold when the write's turn came. */
  | 'PRECONDITION_FAILED'
  /** `expectedPreviousPrice` was not the price when the write's turn came; `current` says what was. */
  | 'PRICE_CONFLICT'
  /** The idempotency key stands for a request with another body. */
  | 'IDEMPOTENCY_KEY_REUSED'
  /** The first request with this idempotency key has no answer yet. */
  | 'IDEMPOTENCY_KEY_IN_USE'
  /** Another line of the same atomic batch was refused. */
  | 'FAILED_DEPENDENCY'
  /** The request body is longer than the limit. */
  | 'BODY_TOO_LARGE'
  /** The `Expect` header asks for something that nobody here knows. */
  | 'EXPECTATION_FAILED'
  /** The body's media type, charset or content encoding is not accepted. */
  | 'UNSUPPORTED_MEDIA_TYPE'
  /** The request's header section is longer than the limit. */
  | 'HEADERS_TOO_LARGE'
  /** As many records wait or are being written as the queue holds. */
  | 'QUEUE_FULL'
  /** As many requests are being served by the endpoint as it serves in parallel. */
  | 'TOO_MANY_READS'
  /** As many batch requests are being served as may be at a time. */
  | 'TOO_MANY_BATCHES'
  /** As many streams are open as the feed serves. */
  | 'TOO_MANY_STREAMS'
  /** Product files are so far behind the journal that no more records may wait for them in memory. */
  | 'BACKLOG_FULL'
  /** The service is stopping and takes no new writes. */
  | 'DRAINING'
  /** An operator has switched writes off. */
  | 'READ_ONLY'
  /** The volume has no room for the record; nothing of it was kept. */
  | 'NO_SPACE'
  /** The journal could not be written or synced, so what is on disk is unknown until a restart. */
  | 'STORAGE_FAILED'
  /** A file could not be read or created just now, as when too many are open; nothing was recorded. */
  | 'STORAGE_BUSY'
  /** The journal or its manifest breaks a rule of the format that no interrupted write explains. */
  | 'JOURNAL_DAMAGED'
  /** A product file breaks a rule of the format; it is rebuilt from the journal. */
  | 'PRODUCT_FILE_DAMAGED'
  /** Another process owns the data directory. */
  | 'DIRECTORY_LOCKED'
  /** Flags or environment variables broke a rule; the message lists all of them. */
  | 'INVALID_CONFIG'
  /** A mistake of ours. */
  | 'INTERNAL';

/** One broken rule of a request: where (an RFC 6901 pointer as URI fragment) and what. */
export interface FieldProblem {
  readonly pointer: string;
  readonly detail: string;
}

export interface ErrorOptions {
  readonly cause?: unknown;
  readonly fields?: readonly FieldProblem[];
  readonly label?: string;
  readonly current?: CurrentPrice;
}

/** What a product was priced at when a write was refused: the price's text, null for none, and the version. */
export interface CurrentPrice {
  readonly price: string | null;
  readonly version: number;
}

/** Every operating error of this project. Decide by `code`, never by `message`. */
export class RepricerError extends Error {
  override readonly name = 'RepricerError';
  readonly code: ErrorCode;
  /** The broken rules, for `BAD_REQUEST`. */
  readonly fields: readonly FieldProblem[];
  /** The case of docs/recovery.md, for `JOURNAL_DAMAGED`. */
  readonly label: string | undefined;
  /** For `PRICE_CONFLICT`. */
  readonly current: CurrentPrice | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fields = options.fields ?? [];
    this.label = options.label;
    this.current = options.current;
  }
}

export function hasCode(error: unknown, ...codes: readonly ErrorCode[]): error is RepricerError {
  return error instanceof RepricerError && codes.includes(error.code);
}

/** The code under which any error is told: a failed system call ends one request only, anything else is our mistake. */
export function codeOf(error: unknown): ErrorCode {
  if (error instanceof RepricerError) return error.code;
  return isSystemError(error) ? 'STORAGE_BUSY' : 'INTERNAL';
}

/** Whether `error` is what Node throws when a call to the system fails. */
export function isSystemError(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno?.startsWith('E') === true && !errno.startsWith('ERR_');
}

/** The errno name of a failed system call (`'ENOENT'`), or undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
