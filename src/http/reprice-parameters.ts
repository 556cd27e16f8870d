import type { Terms } from '../ledger/reprice.ts';
import { type ParameterForm, QueryParameters } from './query-parameters.ts';

/** The query of `POST /api/reprice`, or BAD_REQUEST with every rule that its parameters break. */
export function parseRepriceParameters(
  queryString: string,
): Pick<Terms, 'isDryRun' | 'onlyIfChanged'> {
  // Nearly every reprice comes without any.
  if (queryString === '') return {};
  const parameters = new QueryParameters(queryString);
  const isDryRun = parameters.one(['dryRun'], truthForm) ?? false;
  const onlyIfChanged = parameters.one(['ifChanged'], truthForm) ?? false;
  parameters.refuseRest();
  return { isDryRun, onlyIfChanged };
}

/** A map and no object: every object has a `constructor`, which is neither. */
const truths: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

export const truthForm: ParameterForm<boolean> = {
  parse: (text) => truths.get(text),
  rule: () => 'must be true or false',
};
