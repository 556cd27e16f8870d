import type { JsonSchema } from '../input/json-schema.ts';
import { encodeCursor } from '../read/page-cursor.ts';
import type { Header } from './operation.ts';

const text: JsonSchema = { type: 'string' };
const version: JsonSchema = { type: 'string', pattern: '^"[1-9][0-9]*"$', examples: ['"12"'] };

/** What every answer has. */
export const contentTypeOptions = always('X-Content-Type-Options', 'No guessing of media types.', {
  const: 'nosniff',
});
export const traceResponse = sometimes('traceresponse', 'The W3C trace of the request.', {
  type: 'string',
  pattern: '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$',
});

/** draft-ietf-httpapi-ratelimit-headers-11, where each client has a rate. */
export const rateLimitPolicy = sometimes(
  'RateLimit-Policy',
  'Where the operator has set a rate: how many requests may come at once, and in how many seconds they come back.',
  { type: 'string', pattern: '^"client";q=\\d+;w=\\d+$', examples: ['"client";q=100;w=5'] },
);
export const rateLimit = sometimes(
  'RateLimit',
  'How many are left to this client, and over how many seconds to spread them.',
  { type: 'string', pattern: '^"client";r=\\d+;t=\\d+$', examples: ['"client";r=99;t=5'] },
);

export const vary = sometimes('Vary', 'What of the request the form of the answer depends on.', {
  type: 'string',
  examples: ['Accept'],
});

export const noStore = always('Cache-Control', 'Nobody keeps it.', { const: 'no-store' });
export const noCache = always('Cache-Control', 'May be kept, and must be asked for again.', {
  const: 'no-cache',
});

export const cached = always(
  'Cache-Control',
  'A page may be kept, and asked for again; a stream not.',
  {
    enum: ['no-cache', 'no-store'],
  },
);

const exampleCursor = encodeCursor({ side: 'after', seq: 1 }, { productIds: [], order: 'asc' });

/** RFC 8288. */
export const links = sometimes(
  'Link',
  'Where the pages beside this one are, while there are any.',
  {
    type: 'string',
    pattern: '^<[^<>]+>; rel="(?:next|prev)"(?:, <[^<>]+>; rel="prev")?$',
    examples: [`</api/query?pageSize=1&cursor=${exampleCursor}>; rel="next"`],
  },
);
export const disposition = sometimes('Content-Disposition', 'Of CSV: to be saved as a file.', text);
export const unbuffered = always('X-Accel-Buffering', 'nginx is to pass events on at once.', {
  const: 'no',
});

export const versionTag = always('ETag', "The product's version, in quotes.", version);
export const contentTag = always('ETag', 'Of the content.', text);
export const someVersionTag = sometimes('ETag', versionTag.description, version);

export const location = always('Location', 'Where the price of the product is read.', {
  type: 'string',
  format: 'uri-reference',
  examples: ['/api/product/foo/price'],
});
export const recordSeq = always('Repricer-Seq', 'The number of the record.', {
  type: 'integer',
  minimum: 1,
});
export const replayed = sometimes(
  'Idempotent-Replayed',
  'The request was recorded before, under the same key; this tells of that record.',
  { const: 'true' },
);
export const preferenceApplied = sometimes('Preference-Applied', 'The body was asked for.', {
  const: 'return=representation',
});
export const retryAfter = always('Retry-After', 'After how many seconds it may well succeed.', {
  type: 'integer',
  minimum: 1,
});
export const wwwAuthenticate = always('WWW-Authenticate', 'What to come with (RFC 6750).', {
  type: 'string',
  pattern: '^Bearer realm="repricer"',
  examples: ['Bearer realm="repricer", error="insufficient_scope", scope="read"'],
});
export const allow = always('Allow', 'What the path takes.', text);
export const contentSecurityPolicy = always(
  'Content-Security-Policy',
  'The page loads nothing from elsewhere.',
  text,
);

function always(name: string, description: string, schema: JsonSchema): Header {
  return { name, description, required: true, schema };
}

function sometimes(name: string, description: string, schema: JsonSchema): Header {
  return { ...always(name, description, schema), required: false };
}
