import type { Socket } from 'node:net';
import type { ClientUsage } from './client-usage.ts';

/** What moves bytes: a socket. */
export type Connection = Pick<Socket, 'bytesRead' | 'bytesWritten' | 'closed' | 'once'>;

/**
 * Counts the bytes of connections, each for the client whose request came over it last. What has moved
 * is counted when a request comes, when the connection closes, and when `settle` is called.
 */
export class ClientConnections {
  readonly #nowMs: () => number;
  readonly #counted = new WeakMap<Connection, CountedConnection>();
  /** No more than the server has open, as each leaves when it closes. */
  readonly #open = new Set<CountedConnection>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** A request of this client came over this connection. */
  use(connection: Connection, usage: ClientUsage): void {
    const counted = this.#counted.get(connection) ?? this.#follow(connection);
    counted.countFor(usage, this.#nowMs());
  }

  settle(): void {
    for (const connection of this.#open) connection.settle(this.#nowMs());
  }

  #follow(connection: Connection): CountedConnection {
    const counted = new CountedConnection(connection);
    this.#counted.set(connection, counted);
    // A client may have hung up before its request was answered.
    if (connection.closed) return counted;
    this.#open.add(counted);
    connection.once('close', () => {
      counted.settle(this.#nowMs());
      this.#open.delete(counted);
    });
    return counted;
  }
}

class CountedConnection {
  readonly #connection: Connection;
  #usage: ClientUsage | undefined;
  #receivedBytes = 0;
  #sentBytes = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  countFor(usage: ClientUsage, nowMs: number): void {
    this.#usage = usage;
    this.settle(nowMs);
  }

  settle(nowMs: number): void {
    const { bytesRead, bytesWritten } = this.#connection;
    this.#usage?.addBytes(bytesRead - this.#receivedBytes, bytesWritten - this.#sentBytes, nowMs);
    this.#receivedBytes = bytesRead;
    this.#sentBytes = bytesWritten;
  }
}
