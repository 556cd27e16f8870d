import assert from 'node:assert';
import { bucketCount, type HistoryRange } from '../../ledger/history-range.ts';
import { rangeEndForm } from '../input/instant-form.ts';
import { intervalForm } from '../input/interval-form.ts';
import { QueryParameters } from '../input/query-parameters.ts';

/** The most buckets that one answer has. */
export const historyBucketsMax = 1000;

/** The range of `GET …/history`, or BAD_REQUEST with every rule that its parameters break. */
export function parseHistoryRange(queryString: string): HistoryRange {
  const parameters = new QueryParameters(queryString);
  const from = parameters.required('from', rangeEndForm);
  const to = parameters.required('to', rangeEndForm);
  const intervalMicros = parameters.required('interval', intervalForm);
  if (from === undefined || to === undefined || intervalMicros === undefined) {
    parameters.refuseRest();
    assert.fail('what is missing or wrong has been refused');
  }
  const range = { from, to, intervalMicros };
  if (to <= from) parameters.refuse('to', 'must be later than from');
  if (bucketCount(range) > historyBucketsMax) {
    parameters.refuse('interval', `must cut the range into at most ${historyBucketsMax} buckets`);
  }
  parameters.refuseRest();
  return range;
}
