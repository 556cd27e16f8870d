import type { RequestTally } from '../../access/client-usage.ts';
import { codeOf, type ErrorCode } from '../../errors.ts';

/** What became of the reprices of a request. */
export type RequestReprices = Pick<RequestTally, 'accepted' | 'refused'>;

const nothingRefused: ReadonlyMap<ErrorCode, number> = new Map();

/**
 * What became of a request, for its client's statistics. `reprices`: undefined where it is none, or they
 * all were refused; `failure`: what it was refused with or failed with.
 */
export function tallyOf(reprices: RequestReprices | undefined, failure: unknown): RequestTally {
  const { accepted = 0, refused = nothingRefused } = reprices ?? {};
  // A batch that failed because of its lines has those lines counted.
  if (failure !== undefined && refused.size === 0) {
    return { accepted, read: 0, refused: new Map([[codeOf(failure), 1]]) };
  }
  return { accepted, read: reprices === undefined ? 1 : 0, refused };
}
