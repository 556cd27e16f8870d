import type { JsonSchema } from '../input/json-schema.ts';
import { allow, retryAfter, wwwAuthenticate } from './headers.ts';
import { objectSchema } from './object-schema.ts';
import type { ClientErrorCode, Header } from './operation.ts';

/** What a type of problem is about, in the words of the document. */
export interface ProblemMeaning {
  /** When a client meets it. */
  readonly when: string;
  /** What it says then, for example, where it does not always say the same. */
  readonly example?: string;
  /** What it has beside what all have. */
  readonly members?: ProblemMembers;
  /** The same of headers. */
  readonly headers?: readonly Header[];
}

export interface ProblemMembers {
  readonly properties: Readonly<Record<string, JsonSchema>>;
  readonly optional: readonly string[];
  readonly example: JsonSchema;
}

/** Of every type of problem that a client can meet. */
export const problemMeanings: Readonly<Record<ClientErrorCode, ProblemMeaning>> = {
  BAD_REQUEST: {
    when: 'The body, the query, the path or a header breaks a rule; "errors" says which, and where.',
    example: 'The body breaks the rules listed in "errors".',
    members: {
      properties: {
        errors: {
          type: 'array',
          description: 'The broken rules, the first 32 of them.',
          items: objectSchema({
            pointer: { type: 'string', description: 'Where: an RFC 6901 pointer as URI fragment.' },
            detail: { type: 'string', description: 'Which rule.' },
          }),
        },
      },
      optional: ['errors'],
      example: { errors: [{ pointer: '#/price', detail: 'must be greater than 0' }] },
    },
  },
  UNAUTHENTICATED: {
    when: 'This needs a token, and none came, or one that is not known, or not any more.',
    example: 'This needs a token, as Authorization: Bearer or as X-Token.',
    headers: [wwwAuthenticate],
  },
  SCOPE_MISSING: {
    when: 'The token lacks the scope that this needs, which WWW-Authenticate names.',
    example: 'This needs the scope "read", which the client lacks.',
    headers: [{ ...wwwAuthenticate, required: false }],
  },
  OUTSIDE_PREFIX: {
    when: 'The token is for products with a prefix, and this is about others, or about all.',
    example: 'The token is for products whose ids begin with "shoes/"; this one does not.',
  },
  RATE_LIMITED: {
    when: 'The client asks more often than it may.',
    example: 'At most 20 requests a second, and 100 at once; nothing was done.',
    headers: [retryAfter],
  },
  NOT_FOUND: { when: 'No route has this path.', example: 'There is nothing at this path.' },
  UNKNOWN_PRODUCT: {
    when: 'No price was ever recorded for the product.',
    example: 'no price was ever recorded for this product',
  },
  UNKNOWN_RECORD: {
    when: 'No record has this seq yet.',
    example: 'no record has this seq yet',
  },
  NO_PRICE_YET: {
    when: "The product's first price came after the moment that was asked for.",
    example: "the product's first price came later, at 2026-11-21T01:11:15.355823Z",
  },
  METHOD_NOT_ALLOWED: {
    when: 'The path exists, the method does not; the Allow header lists what does.',
    example: 'The Allow header lists what this path takes.',
    headers: [allow],
  },
  NOT_ACCEPTABLE: {
    when: 'The Accept header takes none of the forms that this answers in.',
    example: 'This answers in application/json only.',
  },
  REQUEST_TIMEOUT: {
    when: 'The request, or the next line of a batch, did not arrive in time.',
    example: 'The request did not arrive in time.',
  },
  PRICE_CONFLICT: {
    when: 'expectedPreviousPrice was not the price; "currentPrice" and "version" say what was.',
    example: 'the current price is 3.55, version 2; nothing was recorded',
    members: {
      properties: {
        currentPrice: { type: ['number', 'null'], description: 'The price; null for none.' },
        version: { type: 'integer', minimum: 0, description: 'Its version; 0 for none.' },
      },
      optional: [],
      example: { currentPrice: 3.55, version: 2 },
    },
  },
  IDEMPOTENCY_KEY_IN_USE: {
    when: 'The first request with this idempotency key has no answer yet.',
    example: 'a request with this idempotency key has no answer yet; try again in a second',
  },
  PRECONDITION_FAILED: {
    when: 'If-Match or If-None-Match did not hold when the write had its turn.',
    example: 'it is at version 2; nothing was recorded',
  },
  BODY_TOO_LARGE: {
    when: 'The body, or a line of a batch, is longer than the limit, or an atomic batch has too many lines.',
    example: 'The body must be at most 16384 bytes long.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    when: 'The body has another media type or charset, or is compressed.',
    example: 'The body must be application/json in UTF-8, and one Content-Type must say so.',
  },
  EXPECTATION_FAILED: {
    when: 'The Expect header asks for something else than 100-continue.',
    example: 'The only expectation met is 100-continue.',
  },
  MISDIRECTED: {
    when: 'The Host header has another name than localhost, 127.0.0.1 or [::1], and the service is on its own machine and without tokens.',
    example:
      'Without tokens this is served as localhost, 127.0.0.1 or [::1] only; an operator lets in other names with --tokens-file or --allow-anonymous.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    when: 'The idempotency key stands for a request with another body.',
    example: 'the idempotency key stands for a request with another price; nothing was recorded',
  },
  FAILED_DEPENDENCY: {
    when: 'Another line of the same atomic batch was refused.',
    example: 'another line of the same atomic batch was refused; nothing was recorded',
  },
  HEADERS_TOO_LARGE: {
    when: 'Request line and headers are longer than the limit.',
    example: 'The header fields are too long.',
  },
  QUEUE_FULL: { when: 'As many records wait to be written as the queue holds.' },
  TOO_MANY_READS: {
    when: 'As many requests as this endpoint serves in parallel are being served.',
  },
  TOO_MANY_BATCHES: { when: 'As many batches as are served at a time are being served.' },
  TOO_MANY_STREAMS: { when: 'As many streams as this endpoint serves at once are open.' },
  BACKLOG_FULL: { when: 'Too many records wait for their product files.' },
  DRAINING: { when: 'The service is stopping.' },
  READ_ONLY: { when: 'An operator has switched writes off for a while.' },
  NO_SPACE: { when: 'The volume has no room for the record.' },
  STORAGE_FAILED: { when: 'The storage failed and takes no more writes until a restart.' },
  STORAGE_BUSY: { when: 'A file could not be read or created just now.' },
  PRODUCT_FILE_DAMAGED: { when: "The product's file is damaged and has to be rebuilt." },
  JOURNAL_DAMAGED: { when: 'The lines of the journal that this would read are damaged.' },
  INTERNAL: { when: 'The service made a mistake, which it has logged.' },
};
