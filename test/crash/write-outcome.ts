import type { Answer } from '../support/child-service.ts';
import type { WriteOutcome } from './operation.ts';

/** What an answer to a write promises. Of those with 5xx only the ones that say so promise that nothing was recorded. */
export function outcomeOf(answer: Answer | undefined): WriteOutcome {
  if (answer === undefined) return { kind: 'unknown' };
  const { status, headers, body } = answer;
  if (status === 202) {
    const version = Number(String(headers['etag']).replaceAll('"', ''));
    return { kind: 'acknowledged', seq: Number(headers['repricer-seq']), version };
  }
  const isPromise = status < 500 || body.includes('nothing was recorded');
  return isPromise ? { kind: 'refused', status } : { kind: 'unknown' };
}
