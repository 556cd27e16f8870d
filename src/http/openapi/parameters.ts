import type { JsonSchema } from '../input/json-schema.ts';
import type { ParameterForm } from '../input/query-parameters.ts';
import { idempotencyKeySchema, productIdSchema } from '../input/value-schemas.ts';
import type { Parameter } from './operation.ts';

export interface Told {
  readonly description: string;
  readonly example?: Parameter['example'];
  readonly required?: boolean;
  readonly default?: string | number | boolean;
}

/** A query parameter of this form, which is the one that parses it. */
export function queryParameter(
  name: string,
  form: Pick<ParameterForm<unknown>, 'schema'>,
  { required = false, default: fallback, ...told }: Told,
): Parameter {
  const schema = fallback === undefined ? form.schema : { ...form.schema, default: fallback };
  return { name, in: 'query', required, schema, ...told };
}

/** A query parameter that may be given up to `timesMax` times, each time with a value of this form. */
export function repeatedParameter(
  name: string,
  form: Pick<ParameterForm<unknown>, 'schema'>,
  timesMax: number,
  told: Pick<Told, 'description' | 'example'>,
): Parameter {
  const schema: JsonSchema = { type: 'array', items: form.schema, maxItems: timesMax };
  return { name, in: 'query', required: false, schema, ...told };
}

export function requestHeader(name: string, description: string, schema: JsonSchema): Parameter {
  return { name, in: 'header', description, required: false, schema };
}

export const productIdInPath: Parameter = {
  name: 'productId',
  in: 'path',
  description: 'The product, percent-encoded.',
  required: true,
  schema: productIdSchema,
  example: 'foo',
};

export const seqInPath: Parameter = {
  name: 'seq',
  in: 'path',
  description: 'The number of the record.',
  required: true,
  schema: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
  example: 2,
};

/** RFC 9110, section 8.8.3, in ASCII. */
const entityTag = '(?:W/)?"[\\x21\\x23-\\x7e]*"';
const entityTags = `^(?:\\*|${entityTag}(?:[ \\t]*,[ \\t]*${entityTag})*)$`;

export const ifMatch = requestHeader(
  'If-Match',
  'Record only when the product is at one of these versions; * for any. Else 412.',
  { type: 'string', pattern: entityTags, examples: ['"12"'] },
);

export const ifNoneMatchForWrites = requestHeader(
  'If-None-Match',
  "With *, record only as the product's first price. Else 412.",
  { const: '*' },
);

export const ifNoneMatchForReads = requestHeader(
  'If-None-Match',
  'The ETag of what the client has; where that is still right the answer is 304 and empty.',
  { type: 'string', examples: ['"12"'] },
);

export const idempotencyKey = requestHeader(
  'Idempotency-Key',
  'Names the request: sent again, it is answered as the first time and recorded once.',
  idempotencyKeySchema,
);

export const prefer = requestHeader(
  'Prefer',
  'With return=representation (RFC 7240) a 202 has the receipt as its body.',
  { type: 'string', examples: ['return=representation'] },
);

/** Every request may have it. */
export const traceparent = requestHeader(
  'traceparent',
  'The W3C trace that the client began; the request is logged under it.',
  { type: 'string', examples: ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'] },
);
