import { countForm } from '../input/count-form.ts';
import { instantForm, rangeEndForm } from '../input/instant-form.ts';
import { intervalForm } from '../input/interval-form.ts';
import { cursorSchema } from '../input/value-schemas.ts';
import { historyBucketsMax } from '../read/history-parameters.ts';
import {
  orderForm,
  pageSizeDefault,
  productIdForm,
  queryProductsMax,
} from '../read/price-query-parameters.ts';
import { examplePrice, exampleShortReceipt } from './examples.ts';
import * as header from './headers.ts';
import { named } from './named-schemas.ts';
import type { ClientErrorCode, Operation } from './operation.ts';
import * as parameter from './parameters.ts';

/** What may keep any read from being answered. */
export const readProblems: readonly ClientErrorCode[] = [
  'NOT_ACCEPTABLE',
  'TOO_MANY_READS',
  'STORAGE_BUSY',
];

const lines = { schema: named('Price'), example: `${JSON.stringify(examplePrice)}\n` };

export const price: Operation = {
  id: 'price',
  method: 'get',
  path: '/product/{productId}/price',
  below: 'api',
  scope: 'read',
  tag: 'Prices',
  summary: 'Read the price of a product, now or at a moment',
  description:
    'Sees every write that was acknowledged before. With "at" the answer has the time in which the ' +
    'price held, and no ETag.',
  parameters: [
    parameter.productIdInPath,
    parameter.queryParameter('at', instantForm('down'), {
      description: 'The moment, as RFC 3339; now when it is left out.',
    }),
    parameter.ifNoneMatchForReads,
  ],
  answers: [
    {
      status: 200,
      description: 'The price.',
      headers: [header.noCache, header.someVersionTag],
      content: {
        'application/json': {
          schema: { oneOf: [named('Price'), named('PriceInForce')] },
          example: examplePrice,
        },
      },
    },
    {
      status: 304,
      description: 'The price is the one that the client has.',
      headers: [header.noCache, header.versionTag],
    },
  ],
  problems: [...readProblems, 'UNKNOWN_PRODUCT', 'NO_PRICE_YET', 'PRODUCT_FILE_DAMAGED'],
};

export const history: Operation = {
  id: 'history',
  method: 'get',
  path: '/product/{productId}/history',
  below: 'api',
  scope: 'read',
  tag: 'Prices',
  summary: 'Read the figures of a price over time',
  description:
    'The price as a step function, from ≤ time < to, in buckets of equal length that begin at "from"; ' +
    `the last one is cut at "to". At most ${historyBucketsMax} buckets.`,
  parameters: [
    parameter.productIdInPath,
    parameter.queryParameter('from', rangeEndForm, {
      description: 'Where the first bucket begins, in 1970 or later.',
      required: true,
      example: '2026-11-21T00:00:00Z',
    }),
    parameter.queryParameter('to', rangeEndForm, {
      description: 'Where the last bucket ends, later than "from", and not after 2255-06-05.',
      required: true,
      example: '2026-11-22T00:00:00Z',
    }),
    parameter.queryParameter('interval', intervalForm, {
      description: 'The length of a bucket: a whole number and s, m, h or d.',
      required: true,
      example: '12h',
    }),
  ],
  answers: [
    {
      status: 200,
      description: 'The buckets, oldest first.',
      headers: [header.noCache],
      content: {
        'application/json': {
          schema: named('History'),
          example: {
            productId: 'foo',
            buckets: [
              {
                from: 1795219200,
                to: 1795262400,
                open: 3.5,
                high: 3.55,
                low: 3.5,
                close: 3.55,
                changes: 2,
                timeWeightedAverage: 3.52,
              },
            ],
          },
        },
      },
    },
  ],
  problems: [...readProblems, 'UNKNOWN_PRODUCT', 'PRODUCT_FILE_DAMAGED'],
};

export const record: Operation = {
  id: 'record',
  method: 'get',
  path: '/record/{seq}',
  below: 'api',
  scope: 'read',
  tag: 'Records',
  summary: 'Read a record, and where its line stands',
  description: 'The receipt, as it was given or was lost.',
  parameters: [parameter.seqInPath],
  answers: [
    {
      status: 200,
      description: 'The receipt.',
      headers: [header.noStore],
      content: {
        'application/json': {
          schema: named('Receipt'),
          example: exampleShortReceipt,
        },
      },
    },
  ],
  problems: [...readProblems, 'UNKNOWN_RECORD', 'JOURNAL_DAMAGED'],
};

export function describeQuery(pageSizeMax: number): Operation {
  return {
    id: 'query',
    method: 'get',
    path: '/query',
    below: 'api',
    scope: 'read',
    tag: 'Records',
    summary: 'Read the records of a range, page by page or as a stream',
    description:
      'The records of the products named, from ≤ timestamp ≤ to. As application/json a page of them, with ' +
      'links to the pages beside it that stay right whatever is written. In the other media types all of ' +
      'them, read at the pace of the reader, without the parameters of pages; a stream that breaks is cut ' +
      'off, so that a part never looks like the whole.',
    parameters: [
      parameter.repeatedParameter('productId', productIdForm, queryProductsMax, {
        description: 'A product; all of them when it is left out.',
        example: ['foo'],
      }),
      parameter.queryParameter('from', instantForm('up'), {
        description: 'The first moment; from the beginning when it is left out.',
      }),
      parameter.queryParameter('to', instantForm('down'), {
        description: 'The last moment; up to now when it is left out.',
      }),
      parameter.queryParameter('order', orderForm, {
        description: 'By seq: asc is oldest first.',
        default: 'asc',
      }),
      parameter.queryParameter('pageSize', countForm(pageSizeMax), {
        description: `Records in a page; ${Math.min(pageSizeDefault, pageSizeMax)} when it is left out.`,
      }),
      parameter.queryParameter('pagesize', countForm(pageSizeMax), {
        description: 'The same as pageSize, of which only one may be given.',
      }),
      parameter.queryParameter('pageNumber', countForm(Number.MAX_SAFE_INTEGER), {
        description: 'The page, from 1; one past the end is empty.',
      }),
      parameter.queryParameter(
        'cursor',
        { schema: cursorSchema },
        {
          description: 'In place of a page number, as it stands in a link.',
        },
      ),
    ],
    answers: [
      {
        status: 200,
        description: 'The records.',
        headers: [header.cached, header.links, header.disposition],
        content: {
          'application/json': {
            schema: { type: 'array', items: named('Price') },
            example: [examplePrice],
          },
          'application/x-ndjson': lines,
          'application/jsonl': lines,
          'application/ndjson': lines,
          'text/csv': {
            schema: {
              type: 'string',
              pattern: '^productId,price,previousPrice,timestamp,version,seq\\r\\n',
            },
            example:
              'productId,price,previousPrice,timestamp,version,seq\r\n' +
              '"foo",3.55,3.50,2026-11-21T09:34:41.096733Z,2,2\r\n',
          },
        },
      },
    ],
    problems: [...readProblems, 'PRODUCT_FILE_DAMAGED', 'JOURNAL_DAMAGED'],
  };
}
