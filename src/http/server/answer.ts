import type { Context } from 'koa';

/** What a route answers, whoever sends it. */
export interface Answer {
  readonly status: number;
  /** Beside those of every answer; what stands here overrides them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined for none. */
  readonly body: string | undefined;
}

export const jsonMediaType = 'application/json; charset=utf-8';

/** Gives the answer of a route to Koa. */
export function answerWith(ctx: Context, { status, headers, body }: Answer): void {
  for (const [name, value] of Object.entries(headers)) ctx.set(name, value);
  ctx.body = body ?? null;
  // Setting a body sets a status as well, so it is set last.
  ctx.status = status;
}
