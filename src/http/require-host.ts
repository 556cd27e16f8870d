import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import { RepricerError } from '../errors.ts';

/**
 * Refuses a request without exactly one Host header (RFC 9112, section 3.2). Two of them are how
 * requests are smuggled past proxies, so the connection ends as well. Node would keep the first.
 */
export function requireHost(): Middleware {
  return async function requireHost(ctx, next) {
    const hosts = countHosts(ctx.req);
    const isOld = ctx.req.httpVersion === '1.0';
    if (hosts > 1 || (hosts === 0 && !isOld)) {
      ctx.set('Connection', 'close');
      throw new RepricerError('BAD_REQUEST', 'A request must have exactly one Host header.');
    }
    await next();
  };
}

function countHosts(request: IncomingMessage): number {
  // Names stand at the even places, values at the odd ones.
  const isHost = (text: string, index: number) => index % 2 === 0 && text.toLowerCase() === 'host';
  return request.rawHeaders.filter(isHost).length;
}
