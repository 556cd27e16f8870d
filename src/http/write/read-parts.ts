import type { IncomingMessage } from 'node:http';
import { RepricerError } from '../../errors.ts';
import type { BodyPart, BodySplitter } from './body-parts.ts';

/**
 * The parts of a body, those of each received piece together, at the pace at which they are taken. A
 * client that ends no part for `stallMs` is given up, and nothing more is read after `stop`; then, as
 * when the body cannot be cut any more, the last part is an error. Throws when the connection breaks.
 */
export async function* readParts(
  body: IncomingMessage,
  splitter: BodySplitter,
  stallMs: number,
  stop: AbortSignal,
): AsyncGenerator<readonly BodyPart[]> {
  // Left early, it must not take the connection along, on which the answer is still to be sent.
  const pieces = body.iterator({ destroyOnReturn: false });
  let waitedMs = 0;
  while (!splitter.isBroken) {
    const startedMs = performance.now();
    const piece = await inTime(pieces.next(), stallMs - waitedMs, stop);
    if (stop.aborted) {
      const why = 'The service is stopping; nothing of what follows was recorded.';
      yield [{ number: splitter.number, error: new RepricerError('DRAINING', why) }];
      return;
    }
    if (piece === undefined) {
      const why = `No line was completed for ${stallMs} ms; nothing of what follows was recorded.`;
      yield [{ number: splitter.number, error: new RepricerError('REQUEST_TIMEOUT', why) }];
      return;
    }
    const isEnd = piece.done === true;
    const parts = isEnd ? splitter.end() : splitter.take(piece.value as Buffer);
    waitedMs = parts.length > 0 ? 0 : waitedMs + performance.now() - startedMs;
    if (parts.length > 0) yield parts;
    if (isEnd) return;
  }
}

/** Undefined when it takes longer, or is to be stopped. */
async function inTime<Value>(
  work: Promise<Value>,
  ms: number,
  stop: AbortSignal,
): Promise<Value | undefined> {
  const ended = new AbortController();
  const late = new Promise<undefined>((resolve) => {
    const timer = setTimeout(() => resolve(undefined), ms);
    const giveUp = () => resolve(undefined);
    if (stop.aborted) giveUp();
    stop.addEventListener('abort', giveUp, { signal: ended.signal });
    ended.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    ended.abort();
  }
}
