import type { Terms } from '../../ledger/reprice.ts';
import { QueryParameters } from '../input/query-parameters.ts';
import { truthForm } from '../input/truth-form.ts';

/** Those of the terms that are asked for in the query. */
export type QueryTerms = Pick<Terms, 'isDryRun' | 'onlyIfChanged'>;

/** The query of `POST /api/reprice`, or BAD_REQUEST with every rule that its parameters break. */
export function parseRepriceParameters(queryString: string): QueryTerms {
  // Nearly every reprice comes without any.
  if (queryString === '') return {};
  const parameters = new QueryParameters(queryString);
  const terms = parseQueryTerms(parameters);
  parameters.refuseRest();
  return terms;
}

/** The same two of a batch, where they are for every line. */
export function parseQueryTerms(parameters: QueryParameters): QueryTerms {
  return {
    isDryRun: parameters.one(['dryRun'], truthForm) ?? false,
    onlyIfChanged: parameters.one(['ifChanged'], truthForm) ?? false,
  };
}
