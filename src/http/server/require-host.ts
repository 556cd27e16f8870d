import type { Middleware } from 'koa';
import { RepricerError } from '../../errors.ts';
import { countFields } from '../input/count-fields.ts';

/**
 * Refuses a request without exactly one Host header, or with one that is no host (RFC 9112, section
 * 3.2). Two of them are how requests are smuggled past proxies, so the connection ends as well. Node
 * would keep the first.
 */
export function requireHost(): Middleware {
  return function requireHost(ctx, next) {
    const hosts = countFields(ctx.req, 'host');
    const isOld = ctx.req.httpVersion === '1.0';
    if (hosts > 1 || (hosts === 0 && !isOld)) {
      ctx.set('Connection', 'close');
      throw new RepricerError('BAD_REQUEST', 'A request must have exactly one Host header.');
    }
    if (!isHost(ctx.get('Host'))) {
      ctx.set('Connection', 'close');
      throw new RepricerError(
        'BAD_REQUEST',
        'The Host header must be a host, and a port if need be.',
      );
    }
    return next();
  };
}

/** Whether a Host field is a host, and a port if need be. */
export function isHost(field: string): boolean {
  return host.test(field);
}

/** RFC 3986, section 3.2.2: a name or an address, IPv6 in brackets; empty for a target without one. */
const host = /^(?:\[[\da-f:.]{2,45}\]|[\w.~!$&'()*+,;=%-]*)(?::\d{0,5})?$/i;
