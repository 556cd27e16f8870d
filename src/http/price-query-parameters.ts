import type { PriceQuery } from '../ledger/price-query.ts';
import { isProductId, type ProductId, productIdProblem } from '../model/product-id.ts';
import { instantForm } from './instant-form.ts';
import { type ParameterForm, QueryParameters } from './query-parameters.ts';
import { productIdSchema } from './value-schemas.ts';

/** The most products that one query reads, as each costs a file to open. */
export const queryProductsMax = 50;

export const pageSizeDefault = 25;
export const pageSizeMax = 1000;

/** The query of `GET /api/query`, or BAD_REQUEST with every rule that its parameters break. */
export function parsePriceQuery(queryString: string): PriceQuery {
  const parameters = new QueryParameters(queryString);
  const productIds = parameters.all('productId', productIdForm, queryProductsMax);
  // Rounded inwards, so that no record outside the range is shown.
  const from = parameters.one(['from'], instantForm('up'));
  const to = parameters.one(['to'], instantForm('down'));
  const order = parameters.one(['order'], orderForm) ?? 'asc';
  const pageSize = parameters.one(['pageSize', 'pagesize'], countForm(pageSizeMax));
  const pageNumber = parameters.one(['pageNumber'], countForm(Number.MAX_SAFE_INTEGER));
  parameters.refuseRest();
  return {
    productIds,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    order,
    pageSize: pageSize ?? pageSizeDefault,
    pageNumber: pageNumber ?? 1,
  };
}

export const productIdForm: ParameterForm<ProductId> = {
  schema: productIdSchema,
  parse: (text) => (isProductId(text) ? text : undefined),
  rule: (text) => productIdProblem(text) ?? 'must be a product id',
};

export const orderForm: ParameterForm<'asc' | 'desc'> = {
  schema: { type: 'string', enum: ['asc', 'desc'] },
  parse: (text) => (text === 'asc' || text === 'desc' ? text : undefined),
  rule: () => 'must be asc or desc',
};

/** A whole number from 1, without sign or leading zeros. */
export function countForm(max: number): ParameterForm<number> {
  const parse = (text: string) => (/^[1-9][0-9]{0,15}$/.test(text) ? Number(text) : Infinity);
  return {
    schema: { type: 'integer', minimum: 1, maximum: max },
    parse: (text) => (parse(text) <= max ? parse(text) : undefined),
    rule: () => `must be a whole number from 1 to ${max}`,
  };
}
