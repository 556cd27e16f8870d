import type { Context } from 'koa';
import { refuseHeader } from '../input/field-problems.ts';
import { QueryParameters } from '../input/query-parameters.ts';
import { truthForm } from '../input/truth-form.ts';
import { parseQueryTerms, type QueryTerms } from './reprice-parameters.ts';

export interface BatchParameters {
  readonly isAtomic: boolean;
  /** For every line. */
  readonly terms: QueryTerms;
}

/** Headers that speak of one product or one record, so that a line has a field or nothing in their place. */
const singleHeaders = ['If-Match', 'If-None-Match', 'Idempotency-Key'];

/** What a batch request asks for beside its lines, or BAD_REQUEST with every rule that it breaks. */
export function parseBatchParameters(ctx: Context): BatchParameters {
  const given = singleHeaders.find((name) => ctx.req.headers[name.toLowerCase()] !== undefined);
  if (given !== undefined) {
    const instead = 'give idempotencyKey or expectedPreviousPrice in its lines';
    throw refuseHeader(given, `is not for a batch; ${instead}`);
  }
  const parameters = new QueryParameters(ctx.querystring);
  const isAtomic = parameters.one(['atomic'], truthForm) ?? false;
  const terms = parseQueryTerms(parameters);
  parameters.refuseRest();
  return { isAtomic, terms };
}
