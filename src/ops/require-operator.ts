import type { Context, Middleware } from 'koa';
import type { Clients } from '../access/client.ts';
import { presentProblem } from './present-problem.ts';

/** RFC 6750, section 3. */
const challenge = 'Bearer realm="repricer"';

/** Who asked for what only operators may do; the name is undefined where no token is needed. */
export interface Operator {
  readonly actor: string | undefined;
  readonly address: string | undefined;
}

/**
 * Lets in whoever brings a token with the scope `admin`, for all products, and refuses everyone else
 * with 401 or 403. Where no tokens are configured everyone is let in.
 */
export function requireOperator(clients: Clients | undefined): Middleware {
  return async function requireOperator(ctx, next) {
    const refusal = clients === undefined ? undefined : refuse(ctx, clients);
    if (refusal === undefined) await next();
    else {
      ctx.set('Cache-Control', 'no-store');
      ctx.set('WWW-Authenticate', `${challenge}${refusal.why}`);
      presentProblem(ctx, refusal.status, refusal.detail);
    }
  };
}

/** For the line in the log of a request that came past `requireOperator`. */
export function operatorOf({ state, req }: Context): Operator {
  return { actor: state.client?.name, address: req.socket.remoteAddress };
}

interface Refusal {
  readonly status: 401 | 403;
  /** What `WWW-Authenticate` says beside the challenge. */
  readonly why: string;
  readonly detail: string;
}

function refuse(ctx: Context, clients: Clients): Refusal | undefined {
  const [, token] = /^Bearer +(.+)$/i.exec(ctx.get('Authorization')) ?? [];
  const client = clients.identify(token);
  if (client === undefined) {
    const why = token === undefined ? '' : ', error="invalid_token"';
    const detail = 'This needs a token with the scope "admin", as Authorization: Bearer.';
    return { status: 401, why, detail };
  }
  ctx.state.client = client;
  if (client.scopes.includes('admin') && client.productPrefix === undefined) return undefined;
  const why = ', error="insufficient_scope", scope="admin"';
  return {
    status: 403,
    why,
    detail: 'The token lacks the scope "admin", or has a product prefix.',
  };
}
