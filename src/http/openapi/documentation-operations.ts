import { docsFileNames } from '../docs/docs-files.ts';
import * as header from './headers.ts';
import type { Answer, Operation } from './operation.ts';
import * as parameter from './parameters.ts';

const notModified: Answer = {
  status: 304,
  description: 'It is what the client has.',
  headers: [header.noCache, header.contentTag],
};

export const openApiDocument: Operation = {
  id: 'openApiDocument',
  method: 'get',
  path: '/openapi.json',
  below: 'host',
  tag: 'Documentation',
  summary: 'Read this document',
  description: 'OpenAPI 3.1, made from the schemas that check the requests.',
  parameters: [parameter.ifNoneMatchForReads],
  answers: [
    {
      status: 200,
      description: 'The document.',
      headers: [header.noCache, header.contentTag],
      content: {
        'application/json': {
          schema: { type: 'object', required: ['openapi', 'info', 'paths'] },
        },
      },
    },
    notModified,
  ],
  problems: ['NOT_ACCEPTABLE', 'TOO_MANY_READS'],
};

export const docsPage: Operation = {
  id: 'docsPage',
  method: 'get',
  path: '/docs',
  below: 'host',
  tag: 'Documentation',
  summary: 'Read this document as a page',
  description:
    'Swagger UI, in which each request can be tried out. It loads nothing from elsewhere.',
  parameters: [parameter.ifNoneMatchForReads],
  answers: [
    {
      status: 200,
      description: 'The page.',
      headers: [header.noCache, header.contentTag, header.contentSecurityPolicy],
      content: { 'text/html': { schema: { type: 'string' } } },
    },
    { ...notModified, headers: [...notModified.headers, header.contentSecurityPolicy] },
  ],
  problems: ['TOO_MANY_READS'],
};

export const docsFile: Operation = {
  id: 'docsFile',
  method: 'get',
  path: '/docs/{file}',
  below: 'host',
  tag: 'Documentation',
  summary: 'Read a file that the page consists of',
  description: 'The script and the style sheet of Swagger UI, and the script that starts it.',
  parameters: [
    {
      name: 'file',
      in: 'path',
      description: 'The name of the file.',
      required: true,
      schema: { type: 'string', enum: docsFileNames },
    },
    parameter.ifNoneMatchForReads,
  ],
  answers: [
    {
      status: 200,
      description: 'The file.',
      headers: [header.noCache, header.contentTag],
      content: {
        'text/javascript': { schema: { type: 'string' } },
        'text/css': { schema: { type: 'string' } },
      },
    },
    notModified,
  ],
  problems: ['NOT_FOUND', 'TOO_MANY_READS', 'STORAGE_BUSY'],
};
