import type { Duplex } from 'node:stream';

/**
 * How long what a client still sends is read and forgotten once its answer has left. A connection that is
 * closed at once has the kernel answer what comes with a reset, and a client that is told of it by a
 * write never reads its answer (RFC 9112, section 9.6).
 */
export const lingerMsMax = 5000;

/**
 * Ends a connection with these last bytes, and destroys it with `error` when the client has ended it too, or has
 * not in time. Nothing that comes until then reaches node's HTTP parser, so no request is completed by it.
 */
export function endLingering(socket: Duplex, lastBytes: string, error: Error): void {
  const destroy = () => socket.destroy(error);
  const cut = setTimeout(destroy, lingerMsMax);
  socket.once('close', () => clearTimeout(cut));
  socket.removeAllListeners('data').removeAllListeners('end').once('end', destroy);
  // A listener has node take the connection's bytes from its parser; see `unconsume` in its _http_server.js.
  socket.on('data', () => {}).resume();
  socket.end(lastBytes);
}
