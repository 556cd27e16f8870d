import { pointerTo, refuseFields } from './field-problems.ts';

/** The seq in a path segment as it was sent: digits only, so that one record has one path. */
export function parsePathSeq(segment: string | undefined): number {
  const seq = /^[1-9][0-9]{0,15}$/.test(segment ?? '') ? Number(segment) : Number.NaN;
  if (Number.isSafeInteger(seq)) return seq;
  const detail = `must be a whole number from 1 to ${Number.MAX_SAFE_INTEGER}`;
  const fields = [{ pointer: pointerTo(['seq']), detail }];
  throw refuseFields('The seq in the path breaks the rule in "errors".', fields);
}
