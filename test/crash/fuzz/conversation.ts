import net from 'node:net';
import { parseAnswers, type RawAnswer } from '../../support/raw-answers.ts';

/** The service may never be silent for longer in a conversation, though nothing that is said in it may make sense. */
const silenceMsMax = 10_000;

export interface Conversation {
  /** Every whole answer, in order. */
  readonly answers: readonly RawAnswer[];
  /**
   * Whether the service ended the connection with the last answer, so that what has no answer was not
   * served. Otherwise it may have been.
   */
  readonly isComplete: boolean;
  /** Whether it had to be broken off in a silence. */
  readonly isHanging: boolean;
}

/** Sends all requests at once on a new connection, and listens until the service ends it. */
export function converse(
  port: number,
  requests: string,
  msMax = silenceMsMax,
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
      timer.refresh();
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
