import type { RouterMiddleware } from '@koa/router';
import { RepricerError } from '../../errors.ts';

/** Answers what no route took: OPTIONS and wrong methods with what the path allows, the rest with 404. */
export function refuseUnrouted(): RouterMiddleware {
  return function refuseUnrouted(ctx) {
    const allowed = (ctx.matched ?? []).flatMap((layer) => layer.methods);
    if (allowed.length === 0) {
      throw new RepricerError('NOT_FOUND', 'There is nothing at this path.');
    }
    ctx.set('Allow', [...allowed, 'OPTIONS'].join(', '));
    if (ctx.method !== 'OPTIONS') {
      throw new RepricerError('METHOD_NOT_ALLOWED', 'The Allow header lists what this path takes.');
    }
    ctx.status = 204;
  };
}
