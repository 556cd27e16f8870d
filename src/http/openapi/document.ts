import type { JsonSchema } from '../input/json-schema.ts';
import { namedSchemas } from './named-schemas.ts';
import type { Operation } from './operation.ts';
import { createOperations } from './operations.ts';
import { presentOperation } from './present-operation.ts';
import { namedResponses } from './problem-responses.ts';
import { securitySchemes } from './security.ts';

/** Of the API, not of the software: it changes when a client would notice. */
const apiVersion = '1.0.0';

/** What the service is asked and answers, as an OpenAPI 3.1 document. A page has `pageSizeMax` entries at most. */
export function createDocument(pageSizeMax: number): JsonSchema {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Repricer',
      version: apiVersion,
      summary: 'A price ledger: every price change ordered, and on disk before it is acknowledged.',
      description,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [
      { url: '/api', description: 'The API.' },
      { url: '/api/v1', description: 'The same, with its version.' },
    ],
    tags: [
      { name: 'Prices', description: 'Prices of products: set and read.' },
      { name: 'Products', description: 'Many products at once.' },
      { name: 'Records', description: 'What was recorded, in its order.' },
      { name: 'Clients', description: 'For operators: who asks for what.' },
      { name: 'Documentation', description: 'This document; it stands beside the API.' },
    ],
    paths: Object.fromEntries(createOperations(pageSizeMax).map(presentPath)),
    components: {
      schemas: namedSchemas,
      responses: namedResponses,
      securitySchemes,
    },
  };
}

const description = `
Prices are exact decimals: read them with a parser that keeps digits. Unknown fields and parameters are
refused, so that a misspelt one never does something else than was meant.

Where GET is answered, HEAD is too. OPTIONS is answered 204 with \`Allow\`, any other method 405, any
other path 404. Of media types in lines the schema is that of one line.

Where the operator has configured tokens, every request of the API needs one with the scope that its
operation names. One that is for products with a prefix names its products, or a longer prefix, in each
request: nothing is left out of an answer in silence. What lasts ends with its token.

Whatever is refused or fails is a problem (RFC 9457), \`application/problem+json\`. Decide by its \`type\`,
which stays; every type has a schema here, which says when it is met.
`.trim();

/** Each path has one method. */
function presentPath(operation: Operation): [string, JsonSchema] {
  const { path, method, below } = operation;
  const servers = below === 'host' ? { servers: [{ url: '/' }] } : {};
  return [path, { ...servers, [method]: presentOperation(operation) }];
}
