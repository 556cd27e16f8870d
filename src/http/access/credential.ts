import type { IncomingMessage } from 'node:http';
import { RepricerError } from '../../errors.ts';
import { countFields } from '../input/count-fields.ts';

/** RFC 6750, section 2.1. Other schemes are for others. */
const bearer = /^Bearer(?: +|$)(.*)$/i;

/**
 * The token that a request brings as `Authorization: Bearer` or `X-Token`; undefined when it brings none,
 * and BAD_REQUEST when it brings two that differ, or one of the fields twice.
 */
export function parseCredential(request: IncomingMessage): string | undefined {
  const [, fromBearer] = bearer.exec(fieldOf(request, 'authorization') ?? '') ?? [];
  const fromField = fieldOf(request, 'x-token');
  if (fromBearer !== undefined && fromField !== undefined && fromBearer !== fromField) {
    throw new RepricerError('BAD_REQUEST', 'Authorization and X-Token give two different tokens.');
  }
  return fromBearer ?? fromField;
}

function fieldOf(request: IncomingMessage, lowerCaseName: string): string | undefined {
  const value = request.headers[lowerCaseName];
  if (value !== undefined && countFields(request, lowerCaseName) > 1) {
    throw new RepricerError(
      'BAD_REQUEST',
      `A request must have at most one ${lowerCaseName} field.`,
    );
  }
  return typeof value === 'string' ? value : undefined;
}
