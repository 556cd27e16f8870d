import { once } from 'node:events';
import net from 'node:net';

/** No answer of the benchmark comes near this many bytes. */
const answerBytesMax = 256 * 1024;

/**
 * One keep-alive connection that sends a request at a time, on a plain socket: node:http's client
 * costs more than the servers that are measured.
 *
 * It understands answers with a Content-Length or without a body, and takes everything else for a failure.
 */
export class HttpConnection {
  readonly #socket: net.Socket;
  readonly #onAnswer: (status: number) => void;
  #received = '';

  private constructor(port: number, onAnswer: (status: number) => void, onFailure: Failure) {
    this.#onAnswer = onAnswer;
    const buffer = Buffer.allocUnsafe(answerBytesMax);
    const callback = (length: number) => {
      this.#receive(buffer.toString('latin1', 0, length), onFailure);
      return true;
    };
    const onread = { buffer, callback };
    this.#socket = net.connect({ host: '127.0.0.1', port, noDelay: true, onread });
    this.#socket.on('error', onFailure);
    this.#socket.on('end', () => onFailure(new Error('the server closed a connection')));
  }

  /** `onAnswer` is told the status of each complete answer, `onFailure` what broke the connection. */
  static async open(
    port: number,
    onAnswer: (status: number) => void,
    onFailure: Failure,
  ): Promise<HttpConnection> {
    const connection = new HttpConnection(port, onAnswer, onFailure);
    await once(connection.#socket, 'connect');
    return connection;
  }

  send(request: Buffer): void {
    this.#socket.write(request);
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(text: string, onFailure: Failure): void {
    this.#received += text;
    const answer = parseAnswer(this.#received);
    if (answer === 'unfinished' && this.#received.length < answerBytesMax) return;
    if (answer === 'unfinished' || answer.length !== this.#received.length) {
      onFailure(new Error(`an answer cannot be understood: ${this.#received.slice(0, 1000)}`));
      return;
    }
    this.#received = '';
    this.#onAnswer(answer.status);
  }
}

type Failure = (error: Error) => void;

interface Answer {
  readonly status: number;
  readonly length: number;
}

const statusLine = /^HTTP\/1\.1 ([0-9]{3}) /;
const contentLength = /\r\nContent-Length: ([0-9]+)\r\n/i;

function parseAnswer(text: string): Answer | 'unfinished' {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return 'unfinished';
  const bodyStart = headEnd + 4;
  const status = Number(statusLine.exec(text)?.[1]);
  const bodyLength = Number(contentLength.exec(text)?.[1]);
  // Without a length this is NaN, which no received length equals.
  const length = bodyStart + bodyLength;
  return text.length < length ? 'unfinished' : { status, length };
}
