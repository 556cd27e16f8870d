import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ExecutionContext } from 'ava';
import { type BackplaneDependencies, createBackplane } from '../../src/ops/backplane.ts';

/** A backplane on a port of its own, which it gives. */
export async function startBackplane(
  t: ExecutionContext,
  dependencies: BackplaneDependencies,
): Promise<number> {
  const server = createServer(createBackplane(dependencies).callback());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
