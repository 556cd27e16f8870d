import net from 'node:net';
import { parseAnswers, type RawAnswer } from '../../support/raw-answers.ts';

/** No conversation may last longer, though nothing that it says may make sense. */
const conversationMsMax = 10_000;

export interface Conversation {
  /** Every whole answer, in order. */
  readonly answers: readonly RawAnswer[];
  /**
   * Whether the service ended the connection with the last answer, so that what has no answer was not
   * served. Otherwise it may have been.
   */
  readonly isComplete: boolean;
  /** Whether it had to be broken off. */
  readonly isHanging: boolean;
}

/** Sends all requests at once on a new connection, and listens until the service ends it. */
export function converse(
  port: number,
  requests: string,
  msMax = conversationMsMax,
): Promise<Conversation> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    let received = '';
    let isHanging = false;
    const timer = setTimeout(() => {
      isHanging = true;
      socket.destroy();
    }, msMax);
    socket.setEncoding('latin1');
    socket.on('data', (part: string) => {
      received += part;
    });
    // A service that refuses what it need not read resets the connection; `close` follows.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(timer);
      const { answers, rest } = parseAnswers(received);
      const isEnded = /\r\nconnection: close\r\n/i.test(answers.at(-1)?.head ?? '');
      resolve({ answers, isComplete: rest === '' && isEnded, isHanging });
    });
    socket.write(requests, 'latin1');
  });
}
