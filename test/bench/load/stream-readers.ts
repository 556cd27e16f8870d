import { once } from 'node:events';
import net from 'node:net';

/** How many streams to hold open, where; none ends those that are. */
export interface ReadersJob {
  readonly port: number;
  readonly streams: number;
}

/** What the streams of the job before got. */
export interface ReadersResult {
  readonly bytes: number;
  /** Price events on the first stream. */
  readonly events: number;
}

/*
 * Subscribers of the feed, in a process of their own: they take in what comes and look at the first
 * stream only, so that they cost the machine as little as they can.
 */

let sockets: readonly net.Socket[] = [];
let bytes = 0;
let events = 0;

process.on('message', async ({ port, streams }: ReadersJob) => {
  for (const socket of sockets) socket.destroy();
  const result: ReadersResult = { bytes, events };
  [bytes, events] = [0, 0];
  sockets = Array.from({ length: streams }, (_, index) => openStream(port, index === 0));
  await Promise.all(sockets.map((socket) => once(socket, 'data')));
  process.send?.(result);
});

process.on('disconnect', () => process.exit());

function openStream(port: number, isLookedAt: boolean): net.Socket {
  const socket = net.connect({ port, host: '127.0.0.1' });
  socket.write(`GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  return socket.on('data', (chunk) => {
    bytes += chunk.length;
    if (isLookedAt) events += chunk.toString('latin1').split('event: price').length - 1;
  });
}
