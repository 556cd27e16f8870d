import type { Context } from 'koa';
import { RepricerError } from '../../errors.ts';
import { countFields } from '../input/count-fields.ts';

/** RFC 6750, section 2.1. Other schemes are for others. */
const bearer = /^Bearer(?: +|$)(.*)$/i;

/**
 * The token that a request brings as `Authorization: Bearer` or `X-Token`; undefined when it brings none,
 * and BAD_REQUEST when it brings two that differ, or one of the fields twice.
 */
export function parseCredential(ctx: Context): string | undefined {
  const [, fromBearer] = bearer.exec(fieldOf(ctx, 'authorization') ?? '') ?? [];
  const fromField = fieldOf(ctx, 'x-token');
  if (fromBearer !== undefined && fromField !== undefined && fromBearer !== fromField) {
    throw new RepricerError('BAD_REQUEST', 'Authorization and X-Token give two different tokens.');
  }
  return fromBearer ?? fromField;
}

function fieldOf({ req }: Context, lowerCaseName: string): string | undefined {
  const value = req.headers[lowerCaseName];
  if (value !== undefined && countFields(req, lowerCaseName) > 1) {
    throw new RepricerError(
      'BAD_REQUEST',
      `A request must have at most one ${lowerCaseName} field.`,
    );
  }
  return typeof value === 'string' ? value : undefined;
}
