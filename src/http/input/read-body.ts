import type { IncomingMessage } from 'node:http';
import type { Context, Middleware } from 'koa';
import bodyParser from 'koa-bodyparser';
import { errnoOf, RepricerError } from '../../errors.ts';
import { countFields } from './count-fields.ts';

/**
 * Reads a JSON body's bytes into `ctx.request.rawBody`; what is in them is `parseJson`'s matter.
 *
 * Nothing is decoded on the way: koa-bodyparser's own JSON would turn 3.50 into 3.5 and broken UTF-8
 * into U+FFFD. Only identity encoding is taken, so a body is never longer than it was sent, and a
 * body that is longer than `bytesMax` is refused before `100 Continue` asks for it.
 */
export function readBody(bytesMax: number): Middleware {
  const read = bodyParser(bodyParserOptions(bytesMax));
  return async function readBody(ctx, next) {
    requireJson(ctx);
    if ((ctx.request.length ?? 0) > bytesMax) refuseTooLarge(bytesMax);
    if (awaitsContinue(ctx)) ctx.res.writeContinue();
    await read(ctx, next);
  };
}

const jsonTypes = ['application/json', 'application/*+json'];

function bodyParserOptions(bytesMax: number): bodyParser.Options {
  const options = {
    enableTypes: ['text'],
    extendTypes: { text: jsonTypes },
    textLimit: String(bytesMax),
    // Bytes instead of text. The option is missing from the typings.
    encoding: null,
    onerror(error: Error, ctx: Context): void {
      if ('status' in error && error.status === 413) refuseTooLarge(bytesMax);
      if (ctx.req.destroyed) throw brokenOff(ctx.req, error);
      throw error;
    },
  };
  return options;
}

/** Only identity encoding is taken. */
export function refuseCompressed(ctx: Context): void {
  const encoding = ctx.get('Content-Encoding').toLowerCase();
  if (encoding === '' || encoding === 'identity') return;
  throw new RepricerError('UNSUPPORTED_MEDIA_TYPE', 'The body must not be compressed.');
}

/** Whether there is one Content-Type, and it is JSON in UTF-8. */
export function isJson(request: IncomingMessage): boolean {
  const type = request.headers['content-type'] ?? '';
  return jsonMediaType.test(type) && countFields(request, 'content-type') === 1;
}

function requireJson(ctx: Context): void {
  refuseCompressed(ctx);
  if (!isJson(ctx.req)) {
    throw new RepricerError(
      'UNSUPPORTED_MEDIA_TYPE',
      'The body must be application/json in UTF-8, and one Content-Type must say so.',
    );
  }
}

/**
 * JSON, with the charset parameter that RFC 8259 does not know but clients send, and no other parameter.
 * No two runs of blanks may meet in it: the time to refuse would grow with the square of their length.
 */
const jsonMediaType =
  /^application\/(?:json|[\w.!#$&^-]{1,100}\+json)[ \t]*(?:;[ \t]*(?:charset=(?:utf-8|"utf-8")[ \t]*(?:;[ \t]*)?)?)?$/i;

/** No other expectation comes this far; an HTTP/1.0 client would not understand the answer. */
export function awaitsContinue(ctx: Context): boolean {
  return ctx.get('Expect') !== '' && ctx.req.httpVersion !== '1.0';
}

function refuseTooLarge(bytesMax: number): never {
  throw new RepricerError('BODY_TOO_LARGE', `The body must be at most ${bytesMax} bytes long.`);
}

/** What becomes of a request whose body ended before its time. */
export function brokenOff({ socket }: IncomingMessage, cause: Error): RepricerError {
  return errnoOf(socket.errored) === 'ERR_HTTP_REQUEST_TIMEOUT'
    ? new RepricerError('REQUEST_TIMEOUT', 'The body did not arrive in time.', { cause })
    : new RepricerError('BAD_REQUEST', 'The body ended before its time.', { cause });
}
