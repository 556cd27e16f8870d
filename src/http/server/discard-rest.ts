import type { IncomingMessage, ServerResponse } from 'node:http';
import { lingerMsMax } from './linger.ts';

/**
 * Reads and forgets the rest of a request that has its answer before all of it came, so that its
 * connection can be used again, or ends when both sides have ended it. A client that sends to the end
 * before it reads would never see the answer if the connection were closed on it (RFC 9112, section 9.6),
 * and what nobody reads on would never end. One whose rest does not come in time is closed.
 */
export function discardRest(request: IncomingMessage, response: ServerResponse): void {
  // Before Node, which destroys the connection of a last answer as soon as that is sent.
  response.prependOnceListener('finish', () => {
    const { socket } = request;
    if (request.complete || request.destroyed || socket.destroyed) return;
    const end = endLater(request);
    const cut = setTimeout(() => socket.destroy(), lingerMsMax);
    request.once('close', () => {
      clearTimeout(cut);
      end();
    });
    // Whoever read it bit by bit and has stopped would keep it from flowing.
    request.removeAllListeners('readable');
    setImmediate(() => request.resume());
  });
}

/** Has a connection that is to be destroyed only ended, until the function that this gives is called. */
function endLater({ socket }: IncomingMessage): () => void {
  const destroySoon = socket.destroySoon.bind(socket);
  let isLast = false;
  socket.destroySoon = () => {
    isLast = true;
    socket.end();
  };
  return () => {
    socket.destroySoon = destroySoon;
    if (isLast) destroySoon();
  };
}
