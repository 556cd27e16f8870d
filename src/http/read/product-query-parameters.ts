import type { ProductQuery } from '../../ledger/product-query.ts';
import { productIdPrefixProblem } from '../../model/product-id.ts';
import { countForm } from '../input/count-form.ts';
import { type ParameterForm, QueryParameters } from '../input/query-parameters.ts';
import { cursorSchema, productIdPrefixSchema } from '../input/value-schemas.ts';
import { decodeProductCursor } from './product-cursor.ts';

/** How many products a page has that asks for no number, unless that is more than it may have. */
export const productsLimitDefault = 100;

/**
 * The query of `GET /api/products` with `pageSizeMax` products at most, or BAD_REQUEST with every rule that
 * its parameters break.
 */
export function parseProductQuery(queryString: string, pageSizeMax: number): ProductQuery {
  const parameters = new QueryParameters(queryString);
  const prefix = parameters.one(['prefix'], prefixForm) ?? '';
  const limit = parameters.one(['limit'], countForm(pageSizeMax));
  const after = parameters.one(['cursor'], cursorForm(prefix));
  parameters.refuseRest();
  return { prefix, limit: limit ?? Math.min(productsLimitDefault, pageSizeMax), after };
}

export const prefixForm: ParameterForm<string> = {
  schema: productIdPrefixSchema,
  parse: (text) => (productIdPrefixProblem(text) === undefined ? text : undefined),
  rule: (text) => productIdPrefixProblem(text) ?? 'must be the beginning of a product id',
};

function cursorForm(prefix: string): ParameterForm<string> {
  return {
    schema: cursorSchema,
    parse: (text) => decodeProductCursor(text, prefix),
    rule: () => 'must be the cursor of a "next" link, with the same prefix',
  };
}
