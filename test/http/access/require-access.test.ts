import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Router from '@koa/router';
import test from 'ava';
import Koa from 'koa';
import type { Client } from '../../../src/access/client.ts';
import { authenticate } from '../../../src/http/access/authenticate.ts';
import { requireAccess } from '../../../src/http/access/require-access.ts';
import { answerErrors } from '../../../src/http/server/answer-errors.ts';

test('a route about all products is for clients of all products', async (t) => {
  let client: Client = { name: 'admin', scopes: ['admin'] };
  const router = new Router();
  router.get('/all', requireAccess({ scope: 'admin', products: 'all' }), (ctx) => {
    ctx.body = 'all';
  });
  const app = new Koa();
  app.use(answerErrors());
  app.use(authenticate({ identify: () => client }));
  app.use(router.routes());
  const server = createServer(app.callback()).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const get = () => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/all`);

  const unlimited = await get();
  client = { ...client, productPrefix: 'shoes/' };
  const limited = await get();

  t.is(unlimited.status, 200);
  t.is(limited.status, 403);
  t.like(await limited.json(), {
    type: '/problems/outside-prefix',
    detail: 'The token is for products whose ids begin with "shoes/"; this asks for all products.',
  });
});
