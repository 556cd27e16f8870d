import { RepricerError } from '../errors.ts';
import type { Preconditions } from '../ledger/receipt.ts';

/** What a write's `If-None-Match` header (empty when there is none) asks for; only `*` makes sense on one. */
export function parsePreconditions(ifNoneMatch: string): Preconditions {
  if (ifNoneMatch !== '' && ifNoneMatch !== '*') {
    throw new RepricerError('BAD_REQUEST', 'On a reprice, If-None-Match can only be *.');
  }
  return { mustBeNew: ifNoneMatch === '*' };
}
