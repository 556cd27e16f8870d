import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import { isKnownToClient } from './is-known-to-client.ts';

/** An answer that stays the same as long as the service runs. */
export interface KeptAnswer {
  /** The Content-Type. */
  readonly type: string;
  readonly body: Buffer;
  readonly etag: string;
}

export function keepAnswer(type: string, body: Buffer): KeptAnswer {
  const digest = createHash('sha256').update(body).digest('base64url');
  return { type, body, etag: `"${digest}"` };
}

/** Answers with it, or with 304 when the client has it. */
export function answerKept(ctx: Context, { type, body, etag }: KeptAnswer): void {
  ctx.set('ETag', etag);
  ctx.set('Cache-Control', 'no-cache');
  ctx.set('Content-Type', type);
  ctx.body = body;
  if (isKnownToClient(ctx.req, etag)) ctx.status = 304;
}
