import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

const streaming = new WeakSet<Duplex>();

/**
 * Takes a request out of the time in which a whole one must have been received: its body is read at
 * the pace at which it is worked off. The caller sees to it that it goes on at all.
 */
export function streamRequest(request: IncomingMessage): void {
  const { socket } = request;
  streaming.add(socket);
  request.once('close', () => streaming.delete(socket));
}

/** Whether a request that was taken out is coming in on this connection. */
export function isStreamed(socket: Duplex): boolean {
  return streaming.has(socket);
}
