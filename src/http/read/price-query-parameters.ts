import type { Beside, PriceFilter, PriceQuery } from '../../ledger/price-query.ts';
import { isProductId, type ProductId, productIdProblem } from '../../model/product-id.ts';
import { countForm } from '../input/count-form.ts';
import { instantForm } from '../input/instant-form.ts';
import { type ParameterForm, QueryParameters } from '../input/query-parameters.ts';
import { cursorSchema, productIdSchema } from '../input/value-schemas.ts';
import { decodeCursor } from './page-cursor.ts';

/** The most products that one query reads, as each costs a file to open. */
export const queryProductsMax = 50;

/** The size of a page that asks for none, unless that is more than a page may have. */
export const pageSizeDefault = 25;

/**
 * The query of a page of `GET /api/query` with `pageSizeMax` records at most, or BAD_REQUEST with every rule
 * that its parameters break.
 */
export function parsePriceQuery(queryString: string, pageSizeMax: number): PriceQuery {
  const parameters = new QueryParameters(queryString);
  const filter = parsePriceFilter(parameters);
  const pageSize = parameters.one(['pageSize', 'pagesize'], countForm(pageSizeMax));
  const pageNumber = parameters.one(['pageNumber'], countForm(Number.MAX_SAFE_INTEGER));
  const beside = parameters.one(['cursor'], cursorForm(filter));
  if (beside !== undefined && pageNumber !== undefined) {
    parameters.refuse('pageNumber', 'must not be given beside a cursor');
  }
  parameters.refuseRest();
  return {
    ...filter,
    pageSize: pageSize ?? Math.min(pageSizeDefault, pageSizeMax),
    pageNumber: pageNumber ?? 1,
    ...(beside !== undefined && { beside }),
  };
}

/** The query of an answer that is no page, or BAD_REQUEST as above. */
export function parseWholeRange(queryString: string): PriceFilter {
  const parameters = new QueryParameters(queryString);
  const filter = parsePriceFilter(parameters);
  parameters.exclude(
    ['pageSize', 'pagesize', 'pageNumber', 'cursor'],
    'is for pages, which only application/json has',
  );
  parameters.refuseRest();
  return filter;
}

function parsePriceFilter(parameters: QueryParameters): PriceFilter {
  const productIds = parameters.all('productId', productIdForm, queryProductsMax);
  // Rounded inwards, so that no record outside the range is shown.
  const from = parameters.one(['from'], instantForm('up'));
  const to = parameters.one(['to'], instantForm('down'));
  const order = parameters.one(['order'], orderForm) ?? 'asc';
  return {
    productIds,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    order,
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

function cursorForm(filter: PriceFilter): ParameterForm<Beside> {
  return {
    schema: cursorSchema,
    parse: (text) => decodeCursor(text, filter),
    rule: () => 'must be as it stands in a Link of this query, with the same filters and order',
  };
}
