import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Owner } from '../support/owner.ts';
import type { Operation, WriteOutcome } from './operation.ts';

/** An answer as it came: nothing of it is read that the trial does not need. */
interface RawAnswer {
  readonly head: string;
  readonly status: number;
}

/**
 * A connection on which writes to one product are sent by hand: many at once, in pieces, or never read.
 * No two connections of a store may have the same product.
 */
export class RawConnection {
  readonly #socket: Socket;
  readonly #productId: string;
  /** Writes in the order in which they were sent; the answers come in the same order. */
  readonly #sent: { readonly price: string; readonly sent: string }[] = [];
  #text = '';
  #isClosed = false;
  #waiting: (() => void)[] = [];

  private constructor(owner: Owner, socket: Socket, productId: string) {
    this.#socket = socket;
    this.#productId = productId;
    socket
      .on('error', () => socket.destroy())
      .on('close', () => {
        this.#isClosed = true;
        this.#wake();
      });
    owner.teardown(() => socket.destroy());
  }

  static async open(owner: Owner, port: number, productId: string): Promise<RawConnection> {
    const socket = connect(port, '127.0.0.1');
    const connection = new RawConnection(owner, socket, productId);
    await once(socket, 'connect');
    return connection;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Without this answers stay in the kernel. */
  read(): void {
    this.#socket.setEncoding('latin1').on('data', (part) => {
      this.#text += String(part);
      this.#wake();
    });
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  abort(): void {
    this.#socket.resetAndDestroy();
  }

  /** The text of the next write's request; `head` are more header lines. */
  nextRequest(head = ''): string {
    const price = `${this.#sent.length + 1}.75`;
    const body = `{"productId":"${this.#productId}","price":${price}}`;
    this.#sent.push({ price, sent: `${process.hrtime.bigint()}` });
    return (
      'POST /api/reprice HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
      `Content-Length: ${body.length}\r\n${head}\r\n${body}`
    );
  }

  /** The answers that came so far, without `100 Continue`. */
  answers(): readonly RawAnswer[] {
    return [...this.#text.matchAll(/HTTP\/1\.1 ([2-5]\d\d) [\s\S]*?\r\n\r\n/g)].map(
      ([head, status]) => ({
        ...{ head, status: Number(status) },
      }),
    );
  }

  /** Resolves when the service has asked for a body, or cannot any more. */
  async continued(): Promise<void> {
    while (!this.#text.includes('HTTP/1.1 100 ') && !this.#isClosed) await this.#more();
  }

  /** Resolves when so many answers are there, or none can come any more. */
  async answered(count: number): Promise<void> {
    while (!this.#isClosed && this.answers().length < count) await this.#more();
  }

  async closed(): Promise<void> {
    while (!this.#isClosed) await this.#more();
  }

  /** What was asked for and what came of it; after the last answer that will come. */
  operations(): readonly Operation[] {
    const answers = this.answers();
    const done = `${process.hrtime.bigint()}`;
    return this.#sent.map(({ price, sent }, index) => {
      const outcome = outcomeOf(answers[index]);
      return { op: 'write', productId: this.#productId, price, sent, done, outcome };
    });
  }

  /** Resolves when something that was read has come, or the connection has closed. */
  #more(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** Only answers with 4xx promise that nothing was recorded, as far as their heads tell. */
function outcomeOf(answer: RawAnswer | undefined): WriteOutcome {
  if (answer?.status === 202) {
    const seq = Number(/^repricer-seq: (\d+)/im.exec(answer.head)?.[1]);
    const version = Number(/^etag: "(\d+)"/im.exec(answer.head)?.[1]);
    return { kind: 'acknowledged', seq, version };
  }
  const isRefused = answer !== undefined && answer.status >= 400 && answer.status < 500;
  return isRefused ? { kind: 'refused', status: answer.status } : { kind: 'unknown' };
}
