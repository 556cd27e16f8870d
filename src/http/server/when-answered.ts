import { Readable } from 'node:stream';
import type { Context } from 'koa';

/** Calls back once nothing more is read for the answer: at once, or when the stream that it is has closed. */
export function whenAnswered({ body }: Pick<Context, 'body'>, callback: () => void): void {
  if (body instanceof Readable && !body.closed) {
    // Each part of the app that waits is one listener more than Node takes for usual.
    body.setMaxListeners(body.getMaxListeners() + 1);
    body.once('close', callback);
  } else callback();
}
