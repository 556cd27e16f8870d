import assert from 'node:assert';
import type { Context, Middleware } from 'koa';
import type { Client, Clients } from '../../access/client.ts';
import { RepricerError } from '../../errors.ts';
import { parseCredential } from './credential.ts';

declare module 'koa' {
  interface DefaultState {
    /** Who sent the request; undefined as long as that is not known. */
    client?: Client;
    /** The same as it is known by now: its token may have been withdrawn since. */
    findClient?: () => Client | undefined;
  }
}

/** RFC 6750, section 3. */
export const challenge = 'Bearer realm="repricer"';

/** Lets in whom `clients` knows, and refuses everyone else with 401. */
export function authenticate(clients: Clients): Middleware {
  return function authenticate(ctx, next) {
    const token = parseCredential(ctx.req);
    const client = clients.identify(token);
    if (client === undefined) throw refusal(ctx, token);
    ctx.state.client = client;
    ctx.state.findClient = () => clients.identify(token);
    return next();
  };
}

/** Who sent the request, which has come past `authenticate`. */
export function clientOf({ state }: Pick<Context, 'state'>): Client {
  assert(state.client !== undefined, 'a request is served only for a known client');
  return state.client;
}

function refusal(ctx: Context, token: string | undefined): RepricerError {
  const isGiven = token !== undefined;
  ctx.set('WWW-Authenticate', isGiven ? `${challenge}, error="invalid_token"` : challenge);
  const why = isGiven
    ? 'The token is not known here.'
    : 'This needs a token, as Authorization: Bearer or as X-Token.';
  return new RepricerError('UNAUTHENTICATED', why);
}
