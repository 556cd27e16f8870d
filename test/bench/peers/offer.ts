import { once } from 'node:events';
import type { Server } from 'node:http';

/** Listens on any free port, tells it to the parent process, and ends with it or when it says so. */
export async function offer(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address === 'object') process.send?.({ port: address?.port });
  process.on('disconnect', () => process.exit());
  process.on('SIGTERM', () => process.exit());
}
