import { STATUS_CODES } from 'node:http';
import type { Context } from 'koa';

/** Answers with an RFC 9457 problem that is no more than its status, and perhaps words about it. */
export function presentProblem(ctx: Context, status: number, detail?: string): void {
  ctx.status = status;
  ctx.type = 'application/problem+json';
  ctx.body = JSON.stringify({
    type: 'about:blank',
    title: STATUS_CODES[status],
    status,
    ...(detail !== undefined && { detail }),
  });
}
