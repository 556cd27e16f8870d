import { pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGzip, gzip } from 'node:zlib';
import type { Context, Middleware } from 'koa';
import { whenAnswered } from './when-answered.ts';

/** A shorter answer fits in a packet, or nearly. */
const bytesMin = 1024;

/** The fastest one: a disk that is written to shares its threads with this. */
const options = { level: 1 };

/** How many are compressed at a time; further ones are sent as they are, so that syncs find a thread. */
const compressionsMax = 2;

/**
 * Compresses large answers with gzip for clients that take it. A streamed one is compressed as it is
 * read, and breaks off where its source does: an end of the compressed form would say that it is whole.
 */
export function compressAnswers(): Middleware {
  let active = 0;
  const leave = () => {
    active -= 1;
  };
  return async function compressAnswers(ctx, next) {
    await next();
    const body: unknown = ctx.body;
    const isKept = ctx.status === 304;
    if (!isKept && !isLarge(body)) return;
    ctx.vary('Accept-Encoding');
    if (ctx.acceptsEncodings('gzip', 'identity') !== 'gzip') return;
    if (isKept) weakenTag(ctx);
    if (!isLarge(body) || active >= compressionsMax) return;
    active += 1;
    try {
      ctx.body = await compressed(body);
    } catch (error) {
      leave();
      throw error;
    }
    whenAnswered(ctx, leave);
    ctx.set('Content-Encoding', 'gzip');
    weakenTag(ctx);
  };
}

function isLarge(body: unknown): body is Readable | Buffer | string {
  if (typeof body === 'string') return Buffer.byteLength(body) >= bytesMin;
  return body instanceof Readable || (Buffer.isBuffer(body) && body.length >= bytesMin);
}

const gzipped = promisify(gzip);

async function compressed(body: Readable | Buffer | string): Promise<Readable | Buffer> {
  if (!(body instanceof Readable)) return gzipped(body, options);
  const compressor = createGzip(options);
  // An error on either side destroys both with it, and whoever reads the compressed side is told.
  pipeline(body, compressor, () => {});
  return compressor;
}

/** A strong tag stands for the bytes as they were before. */
function weakenTag(ctx: Context): void {
  const etag = ctx.res.getHeader('ETag');
  if (typeof etag === 'string' && etag.startsWith('"')) ctx.set('ETag', `W/${etag}`);
}
