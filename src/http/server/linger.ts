import type { Duplex } from 'node:stream';

/**
 * How long what a client still sends behind its last answer is read and forgotten. A connection that is
 * closed at once has the kernel answer what comes with a reset, and a client that is told of it by a
 * write never reads its answer (RFC 9112, section 9.6).
 */
export const lingerMsMax = 5000;

/**
 * Ends node:http's connection with these last bytes, and destroys it with `error` when the client has ended it too,
 * or has not in time. Nothing that comes until then reaches the HTTP parser, so it completes no request.
 */
export function endLingering(socket: Duplex, lastBytes: string, error: Error): void {
  const destroy = () => socket.destroy(error);
  const cut = setTimeout(destroy, lingerMsMax);
  socket.once('close', () => clearTimeout(cut));
  // Both would go on with the parser.
  socket.removeAllListeners('data').removeAllListeners('end').once('end', destroy);
  // A listener of `data` has node take the connection's bytes from its parser, and forget that they are to flow
  // again when it held them back for a body that nobody read: `unconsume` in its _http_server.js.
  const forget = () => socket.on('data', () => {});
  if (socket.isPaused()) socket.resume().once('resume', forget);
  else forget();
  socket.end(lastBytes);
}
