import type { IncomingMessage } from 'node:http';
import { countFields } from './count-fields.ts';
import { refuseHeader } from './field-problems.ts';

/** 1 to 255 visible ASCII characters; a quoted one is another key than the same without quotes. */
export const idempotencyKeyForm = /^[\x21-\x7e]{1,255}$/;

export const idempotencyKeyRule = 'must be 1 to 255 visible ASCII characters';

export function isIdempotencyKey(value: unknown): value is string {
  return typeof value === 'string' && idempotencyKeyForm.test(value);
}

/** The `Idempotency-Key` header; undefined when there is none, and BAD_REQUEST when it is none or there are two. */
export function parseIdempotencyKey(
  request: Pick<IncomingMessage, 'headers' | 'rawHeaders'>,
): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (isIdempotencyKey(key) && countFields(request, 'idempotency-key') === 1) return key;
  throw refuseHeader('Idempotency-Key', `${idempotencyKeyRule}, and given once`);
}
