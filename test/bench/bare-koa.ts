import { once } from 'node:events';
import { createServer } from 'node:http';
import Router from '@koa/router';
import Koa from 'koa';
import bodyParser from 'koa-bodyparser';

/*
 * What the service is measured against: the same frame with nothing in it, as people usually put it
 * together. A write is parsed and answered, and nothing is kept; a read answers a fixed object of the
 * size that the service answers with. Sends its port to its parent.
 */

const price = {
  productId: 'product-123',
  price: 123.45,
  timestamp: 1795223475.355823,
  previousPrice: 678.9,
  version: 1234,
  seq: 123456,
};

const router = new Router();
router.post('/api/reprice', bodyParser(), (ctx) => {
  ctx.body = null;
  ctx.status = 202;
});
router.get('/api/product/:productId/price', (ctx) => {
  ctx.body = price;
});

const server = createServer(new Koa().use(router.routes()).callback());
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
if (typeof address === 'object') process.send?.({ port: address?.port });

// A runner that is gone needs no server.
process.on('disconnect', () => process.exit());
