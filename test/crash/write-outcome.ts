import type { Answer } from '../support/child-service.ts';
import type { WriteOutcome, WrittenReceipt } from './operation.ts';

/** What an answer to a write promises. Of those with 5xx only the ones that say so promise that nothing was recorded. */
export function outcomeOf(answer: Answer | undefined): WriteOutcome {
  if (answer === undefined) return { kind: 'unknown' };
  const { status, headers, body } = answer;
  if (status === 202) {
    const version = Number(String(headers['etag']).replaceAll('"', ''));
    const seq = Number(headers['repricer-seq']);
    return { kind: 'acknowledged', seq, version, ...(body !== '' && { receipt: receiptIn(body) }) };
  }
  const isPromise = status < 500 || body.includes('nothing was recorded');
  return isPromise ? { kind: 'refused', status } : { kind: 'unknown' };
}

function receiptIn(body: string): WrittenReceipt {
  const previous = /"previousPrice":(null|[\d.]+)/.exec(body)?.[1] ?? 'absent';
  const timestamp = /"timestamp":"([^"]*)"/.exec(body)?.[1] ?? 'absent';
  return { previousPrice: previous === 'null' ? null : previous, timestamp };
}
