import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { createBackplaneServer } from '../../src/ops/backplane-server.ts';

async function setup(t: ExecutionContext) {
  const server = createBackplaneServer((_, response) => response.end('alive'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const open = async () => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => socket.destroy());
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  return { server, open };
}

test('of the connections to the backplane the 101st is closed at once', async (t) => {
  const { server, open } = await setup(t);
  for (let count = 0; count < 100; count += 1) await open();
  const dropped = once(server, 'drop');

  const last = await open();
  last.resume();

  await dropped;
  await once(last, 'close');
  const openCount = await new Promise((resolve) => {
    server.getConnections((_, count) => resolve(count));
  });
  t.is(openCount, 100);
});

test('a request to the backplane whose header trickles in is ended after ten seconds', async (t) => {
  const { open } = await setup(t);
  const startedMs = performance.now();
  const socket = await open();
  socket.write('GET /healthz/alive HTTP/1.1\r\nHost: local');

  let answer = '';
  for await (const part of socket.setEncoding('utf8')) answer += String(part);

  t.regex(answer, /^HTTP\/1\.1 408 /);
  t.true(performance.now() - startedMs < 30_000);
});
