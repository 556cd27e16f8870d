import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { RedisConnection } from './redis-connection.ts';

test('answers of all kinds are read in order, also cut at every byte', async (t) => {
  const socket = join(await temporaryDirectory(t), 'socket');
  const server = net.createServer((connection) => {
    connection.once('data', async () => {
      for (const byte of '+OK\r\n:42\r\n$5\r\na\r\nbc\r\n*2\r\n$-1\r\n:1\r\n-ERR bad\r\n') {
        await new Promise((resolve) => connection.write(byte, resolve));
      }
    });
  });
  server.listen(socket);
  await once(server, 'listening');
  t.teardown(() => server.close());
  const redis = await RedisConnection.open(socket);
  t.teardown(() => redis.close());

  const answers = await Promise.allSettled(
    ['A', 'B', 'C', 'D', 'E'].map((word) => redis.command(word)),
  );

  t.deepEqual(
    answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : String(answer.reason))),
    ['OK', 42, 'a\r\nbc', [null, 1], 'Error: ERR bad'],
  );
});
