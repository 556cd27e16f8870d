import { placeSchema } from '../input/value-schemas.ts';
import { productIdForm, queryProductsMax } from '../read/price-query-parameters.ts';
import * as header from './headers.ts';
import type { Operation } from './operation.ts';
import * as parameter from './parameters.ts';

export const stream: Operation = {
  id: 'stream',
  method: 'get',
  path: '/stream',
  below: 'api',
  scope: 'read',
  tag: 'Records',
  summary: 'Follow the records as they are written',
  description:
    'Server-sent events: every record on disk after a place in the journal, once and in order, and then ' +
    'those to come. A price event has the seq as its id and a Price as its data; a comment tells now and ' +
    'then up to where a quiet stream is complete; an end event says why the service ends it. A client ' +
    'that connects again goes on where it was. Try it with an EventSource or curl -N: a page of ' +
    'documentation waits for the end of an answer.',
  parameters: [
    parameter.repeatedParameter('productId', productIdForm, queryProductsMax, {
      description: 'A product; all of them when it is left out.',
      example: ['foo'],
    }),
    parameter.queryParameter(
      'after',
      { schema: placeSchema },
      {
        description:
          'The seq after which to begin, 0 for the first record; now when it is left out.',
        example: 0,
      },
    ),
    parameter.requestHeader(
      'Last-Event-ID',
      'The id of the last event that was seen; it wins over "after".',
      placeSchema,
    ),
  ],
  answers: [
    {
      status: 200,
      description: 'The events, without end.',
      headers: [header.noStore, header.unbuffered],
      content: {
        'text/event-stream': {
          schema: { type: 'string', pattern: '^retry: \\d+\\nid: \\d+\\n\\n' },
          example:
            'retry: 2000\nid: 1\n\n' +
            'id: 2\nevent: price\ndata: {"productId":"foo","price":3.55,"timestamp":1795253681.096733,"previousPrice":3.50,"version":2,"seq":2}\n\n',
        },
      },
    },
  ],
  problems: ['NOT_ACCEPTABLE', 'TOO_MANY_STREAMS', 'DRAINING'],
};
