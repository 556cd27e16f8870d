import type { RouterMiddleware } from '@koa/router';
import type { Context } from 'koa';
import type { Client, Scope } from '../../access/client.ts';
import { RepricerError } from '../../errors.ts';
import type { ProductId } from '../../model/product-id.ts';
import { parsePathProductId } from '../input/path-product-id.ts';
import { challenge, clientOf } from './authenticate.ts';

/** What a route asks of its clients. */
export interface Access {
  readonly scope: Scope;
  /**
   * Where the products stand that a client with a prefix is held to: the id in the path, or in what the
   * handler reads, which then calls `requireProduct`. A route about all products is none of its.
   */
  readonly products: 'path' | 'handler' | 'all';
}

/** Refuses clients that lack the scope of a route, or whose products are not those that it is about. */
export function requireAccess({ scope, products }: Access): RouterMiddleware {
  return function requireAccess(ctx, next) {
    const client = clientOf(ctx);
    requireScope(ctx, client, scope);
    if (products === 'all') requireAllProducts(client);
    if (products === 'path' && client.productPrefix !== undefined) {
      requireProduct(client, parsePathProductId(ctx.captures?.[0]));
    }
    return next();
  };
}

/** The client of a request that lasts, unless its token or the scope was withdrawn since it began. */
export function clientStill(ctx: Context, scope: Scope): Client {
  const client = ctx.state.findClient?.();
  if (client === undefined) {
    ctx.set('WWW-Authenticate', `${challenge}, error="invalid_token"`);
    throw new RepricerError('UNAUTHENTICATED', 'The token was withdrawn since the request began.');
  }
  requireScope(ctx, client, scope);
  return client;
}

/** Whether the client of a stream may read these products (all of them when there are none) by now. */
export function mayStillRead({ state }: Context, productIds: readonly ProductId[]): boolean {
  const client = state.findClient?.();
  if (client?.scopes.includes('read') !== true) return false;
  const { productPrefix } = client;
  if (productPrefix === undefined) return true;
  return productIds.length > 0 && productIds.every((id) => id.startsWith(productPrefix));
}

/** OUTSIDE_PREFIX unless the product is one of the client's. */
export function requireProduct({ productPrefix }: Client, productId: ProductId): void {
  if (productPrefix === undefined || productId.startsWith(productPrefix)) return;
  throw outside(productPrefix, 'this one does not');
}

/** OUTSIDE_PREFIX unless these products are the client's, where none of them means all. */
export function requireProducts(client: Client, productIds: readonly ProductId[]): void {
  if (productIds.length === 0) requireAllProducts(client);
  for (const productId of productIds) requireProduct(client, productId);
}

/** OUTSIDE_PREFIX unless all products with this prefix are the client's. */
export function requirePrefix(client: Client, prefix: string): void {
  const { productPrefix } = client;
  if (prefix === '') requireAllProducts(client);
  else if (productPrefix !== undefined && !prefix.startsWith(productPrefix)) {
    throw outside(productPrefix, 'this asks for others');
  }
}

/** OUTSIDE_PREFIX unless all products are the client's. */
export function requireAllProducts({ productPrefix }: Client): void {
  if (productPrefix !== undefined) throw outside(productPrefix, 'this asks for all products');
}

function requireScope(ctx: Context, { scopes }: Client, scope: Scope): void {
  if (scopes.includes(scope)) return;
  ctx.set('WWW-Authenticate', `${challenge}, error="insufficient_scope", scope="${scope}"`);
  throw new RepricerError(
    'SCOPE_MISSING',
    `This needs the scope "${scope}", which the client lacks.`,
  );
}

function outside(prefix: string, what: string): RepricerError {
  const products = `products whose ids begin with ${JSON.stringify(prefix)}`;
  return new RepricerError('OUTSIDE_PREFIX', `The token is for ${products}; ${what}.`);
}
