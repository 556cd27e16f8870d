import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import Router from '@koa/router';
import Koa from 'koa';
import bodyParser from 'koa-bodyparser';
import { offer } from './offer.ts';

/** What a peer is asked to record. */
export interface PeerUpdate {
  readonly productId: string;
  readonly price: number;
}

/** Where a peer keeps prices. All that resolves is kept as safely as that store can. */
export interface PeerStore {
  /** Lines of a batch that are recorded together. */
  readonly groupLines: number;
  reprice(update: PeerUpdate): Promise<void>;
  repriceAll(updates: readonly PeerUpdate[]): Promise<void>;
  /** The answer to a read; undefined for an unknown product. */
  price(productId: string): Promise<object | undefined>;
}

/**
 * The frame that every peer stands in, as people usually put it together: Koa, @koa/router and
 * koa-bodyparser. Sends its port to its parent, and ends with it.
 */
export async function servePeer(store: PeerStore): Promise<void> {
  const router = new Router();
  router.post('/api/reprice', bodyParser(), async (ctx) => {
    await store.reprice(ctx.request.body as PeerUpdate);
    ctx.body = null;
    ctx.status = 202;
  });
  router.post('/api/reprice/batch', (ctx) => {
    ctx.type = 'application/x-ndjson';
    ctx.body = Readable.from(answerBatch(store, ctx.req));
  });
  router.get('/api/product/:productId/price', async (ctx) => {
    ctx.body = await store.price(ctx.params['productId'] ?? '');
  });

  const server = createServer(new Koa().use(router.routes()).callback());
  await offer(server);
}

/** A line of the answer for each line of the batch, group by group. */
async function* answerBatch(store: PeerStore, request: IncomingMessage): AsyncGenerator<string> {
  let number = 0;
  for await (const group of groupsOf(store.groupLines, request)) {
    await store.repriceAll(group);
    yield group.map(() => `{"line":${++number},"status":202}\n`).join('');
  }
}

async function* groupsOf(
  lines: number,
  request: IncomingMessage,
): AsyncGenerator<readonly PeerUpdate[]> {
  let group: PeerUpdate[] = [];
  for await (const line of createInterface(request)) {
    group.push(JSON.parse(line) as PeerUpdate);
    if (group.length < lines) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
