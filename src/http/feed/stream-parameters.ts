import { pointerTo, refuseFields } from '../input/field-problems.ts';
import { type ParameterForm, QueryParameters } from '../input/query-parameters.ts';
import { placeSchema } from '../input/value-schemas.ts';
import { productIdForm, queryProductsMax } from '../read/price-query-parameters.ts';
import type { Subscription } from './subscriber.ts';

/**
 * What `GET /api/stream` is asked for, or BAD_REQUEST with the rules that are broken. The header
 * `Last-Event-ID` wins, as a client that connects again repeats the parameters of its first request.
 */
export function parseSubscription(
  queryString: string,
  lastEventId: string,
  lastSeq: number,
): Subscription {
  const parameters = new QueryParameters(queryString);
  const productIds = parameters.all('productId', productIdForm, queryProductsMax);
  const after = parameters.one(['after'], seqForm(lastSeq));
  parameters.refuseRest();
  const resumed = lastEventId === '' ? undefined : parseLastEventId(lastEventId, lastSeq);
  return { productIds, after: resumed ?? after ?? lastSeq };
}

function parseLastEventId(text: string, lastSeq: number): number {
  const { parse, rule } = seqForm(lastSeq);
  const seq = parse(text);
  if (seq !== undefined) return seq;
  const fields = [{ pointer: pointerTo(['Last-Event-ID']), detail: rule(text) }];
  throw refuseFields('The Last-Event-ID header breaks the rule in "errors".', fields);
}

/** The seq of a record, or 0 for the place before the first. */
function seqForm(lastSeq: number): ParameterForm<number> {
  const parse = (text: string) => (/^(?:0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Infinity);
  return {
    schema: placeSchema,
    parse: (text) => (parse(text) <= lastSeq ? parse(text) : undefined),
    rule: () => `must be a whole number from 0 to ${lastSeq}, the seq of the last record`,
  };
}
