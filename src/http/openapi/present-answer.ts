import type { JsonSchema } from '../input/json-schema.ts';
import * as header from './headers.ts';
import type { Answer, Header } from './operation.ts';

/** What every answer has, or may have. */
const commonHeaders: readonly Header[] = [
  header.contentTypeOptions,
  header.traceResponse,
  header.vary,
  header.rateLimitPolicy,
  header.rateLimit,
];

/** An answer as a Response Object of OpenAPI. */
export function presentAnswer({
  description,
  headers,
  content,
}: Omit<Answer, 'status'>): JsonSchema {
  return {
    description,
    headers: Object.fromEntries([...headers, ...commonHeaders].map(presentHeader)),
    ...(content !== undefined && { content }),
  };
}

function presentHeader({ name, ...header }: Header): [string, JsonSchema] {
  return [name, header];
}
