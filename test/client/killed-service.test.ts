import test from 'ava';
import { RepricerClient } from 'repricer/client';
import { ChildService } from '../support/child-service.ts';
import { checkCleanStore } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { problemOf, taken } from './client-fixture.ts';
import { UnrulyProxy } from './unruly-proxy.ts';

test('a batch and a feed go on over kills of the service, and each line is recorded and shown once', async (t) => {
  const directory = await temporaryDirectory(t);
  let service = await ChildService.start(t, directory);
  const proxy = await UnrulyProxy.open(t, service.port);
  const client = new RepricerClient(proxy.url, {
    retry: { attemptsMax: 1000, backoffMs: 20, backoffMsMax: 100 },
  });
  const prices = Array.from({ length: 6000 }, (_, index) => `${index + 1}.50`);
  const replaceService = async () => {
    await service.kill('SIGKILL');
    service = await ChildService.start(t, directory);
    proxy.target = service.port;
  };

  const shown = taken(client.stream({ after: 0 }), prices.length);
  const recorded: string[] = [];
  let replaced = Promise.resolve();
  for await (const result of client.repriceBatch(
    prices.map((price) => ({ productId: 'a', price })),
  )) {
    if (result.kind === 'recorded') recorded.push(result.update.price);
    if (result.line === 100 || result.line === 5000) replaced = replaced.then(replaceService);
  }
  await replaced;

  t.deepEqual(recorded, prices);
  t.deepEqual(
    (await shown).map(({ price, seq }) => [price, seq]),
    prices.map((price, index) => [price, index + 1]),
  );
  t.is((await problemOf(t, client.record(prices.length + 1))).status, 404);
  proxy.close();
  service.hangUp();
  await service.kill('SIGTERM');
  await checkCleanStore(t, directory);
});
