import type { ProductQuery } from '../../ledger/product-query.ts';
import { productIdPrefixProblem } from '../../model/product-id.ts';
import { countForm } from '../input/count-form.ts';
import { type ParameterForm, QueryParameters } from '../input/query-parameters.ts';
import { cursorSchema, productIdPrefixSchema } from '../input/value-schemas.ts';
import { decodeProductCursor } from './product-cursor.ts';

export const productsLimitDefault = 100;
export const productsLimitMax = 1000;

/** The query of `GET /api/products`, or BAD_REQUEST with every rule that its parameters break. */
export function parseProductQuery(queryString: string): ProductQuery {
  const parameters = new QueryParameters(queryString);
  const prefix = parameters.one(['prefix'], prefixForm) ?? '';
  const limit = parameters.one(['limit'], countForm(productsLimitMax)) ?? productsLimitDefault;
  const after = parameters.one(['cursor'], cursorForm(prefix));
  parameters.refuseRest();
  return { prefix, limit, after };
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
