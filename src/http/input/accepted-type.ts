import type { Context } from 'koa';

/**
 * The media type that the client prefers among these; undefined when it takes none of them. It may name
 * the charset as well, which is UTF-8 in any case.
 */
export function acceptedType(ctx: Context, ...types: readonly string[]): string | undefined {
  const accepted = ctx.accepts(...types.flatMap((type) => [type, withCharset(type)]));
  return types.find((type) => accepted === type || accepted === withCharset(type));
}

function withCharset(type: string): string {
  return `${type}; charset=utf-8`;
}
