import type { RouterMiddleware } from '@koa/router';
import { RepricerError } from '../../errors.ts';
import { clientOf } from '../access/authenticate.ts';
import { mayStillRead, requireProducts } from '../access/require-access.ts';
import { acceptedType } from '../input/accepted-type.ts';
import type { PriceFeed } from './price-feed.ts';
import { parseSubscription } from './stream-parameters.ts';

const eventStreamMediaType = 'text/event-stream';

/** GET /api/stream: the records after a place in the journal, and those to come, as server-sent events. */
export function streamPricesHandler(
  feed: Pick<PriceFeed, 'lastSeq' | 'subscribe'>,
): RouterMiddleware {
  return async function streamPrices(ctx) {
    if (acceptedType(ctx, eventStreamMediaType) === undefined) {
      throw new RepricerError('NOT_ACCEPTABLE', `This answers in ${eventStreamMediaType} only.`);
    }
    const lastEventId = ctx.get('Last-Event-ID');
    const subscription = parseSubscription(ctx.querystring, lastEventId, feed.lastSeq);
    const { productIds } = subscription;
    requireProducts(clientOf(ctx), productIds);
    ctx.body = feed.subscribe(subscription, {
      cut: () => ctx.res.destroy(),
      mayRead: () => mayStillRead(ctx, productIds),
    });
    ctx.set('Content-Type', eventStreamMediaType);
    // nginx would keep events back until its buffer is full.
    ctx.set('X-Accel-Buffering', 'no');
    // A request that came behind this answer would wait for ever.
    ctx.set('Connection', 'close');
  };
}
