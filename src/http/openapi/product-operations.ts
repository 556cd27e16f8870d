import { countForm } from '../input/count-form.ts';
import { cursorSchema } from '../input/value-schemas.ts';
import { prefixForm, productsLimitDefault } from '../read/product-query-parameters.ts';
import { examplePrice } from './examples.ts';
import * as header from './headers.ts';
import { named } from './named-schemas.ts';
import type { Operation } from './operation.ts';
import * as parameter from './parameters.ts';
import { readProblems } from './read-operations.ts';

export function describeListProducts(pageSizeMax: number): Operation {
  return {
    id: 'listProducts',
    method: 'get',
    path: '/products',
    below: 'api',
    scope: 'read',
    tag: 'Products',
    summary: 'List products with their prices',
    description:
      'Every product that was there before the first page stands in just one of the pages, in an order ' +
      'that is not that of the ids. A page may have fewer than "limit", and others after it.',
    parameters: [
      parameter.queryParameter('prefix', prefixForm, {
        description: 'What the ids begin with; all products when it is left out.',
        example: 'fo',
      }),
      parameter.queryParameter('limit', countForm(pageSizeMax), {
        description: 'Products in a page.',
        default: Math.min(productsLimitDefault, pageSizeMax),
      }),
      parameter.queryParameter(
        'cursor',
        { schema: cursorSchema },
        {
          description: 'Where the page begins, as it stands in a link.',
        },
      ),
    ],
    answers: [
      {
        status: 200,
        description:
          'The products of the page; the next one is in the link, while there may be one.',
        headers: [header.noCache, header.links],
        content: {
          'application/json': {
            schema: named('ProductPage'),
            example: { products: [examplePrice], pending: [] },
          },
        },
      },
    ],
    problems: readProblems,
  };
}

export const prices: Operation = {
  id: 'prices',
  method: 'post',
  path: '/products/prices',
  below: 'api',
  scope: 'read',
  tag: 'Products',
  summary: 'Read the prices of many products, as far as they are known in time',
  description: 'A read; it is a POST for its body alone.',
  parameters: [],
  body: {
    description: 'The products, and how long their prices are waited for.',
    content: {
      'application/json': {
        schema: named('PriceListRequest'),
        example: { productIds: ['foo', 'bar'], waitMs: 45 },
      },
    },
  },
  answers: [
    {
      status: 200,
      description: 'Each product stands in one of the lists.',
      headers: [header.noStore],
      content: {
        'application/json': {
          schema: named('PriceList'),
          example: { prices: [examplePrice], missing: ['bar'], pending: [] },
        },
      },
    },
  ],
  problems: [...readProblems, 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'],
};
