import { once } from 'node:events';
import net from 'node:net';

export type PostgresRow = readonly (string | null)[];

interface Waiting {
  readonly rows: PostgresRow[];
  error: Error | undefined;
  readonly resolve: (rows: readonly PostgresRow[]) => void;
  readonly reject: (error: Error) => void;
}

/** The kinds of messages that are looked at (PostgreSQL's manual, "Frontend/Backend Protocol"). */
const kind = { row: 'D', error: 'E', ready: 'Z' } as const;
const protocolVersion = 196_608;

/**
 * One connection to PostgreSQL (protocol 3) as a user who needs no password. Commands go out as they
 * come, and their answers come in the same order. Values are text.
 */
export class PostgresConnection {
  readonly #socket: net.Socket;
  readonly #waiting: Waiting[] = [];
  #received: Buffer = Buffer.alloc(0);

  private constructor(path: string) {
    this.#socket = net.connect(path);
    this.#socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new Error('PostgreSQL closed the connection')));
  }

  /** Over a socket in the file system. Rejects while the server does not serve yet. */
  static async open(path: string, user: string): Promise<PostgresConnection> {
    const connection = new PostgresConnection(path);
    await once(connection.#socket, 'connect');
    const parameters = `user\0${user}\0database\0postgres\0\0`;
    const version = Buffer.alloc(4);
    version.writeInt32BE(protocolVersion);
    await connection.#send(withLength(Buffer.concat([version, Buffer.from(parameters)])));
    return connection;
  }

  /** Runs statements, separated by semicolons, as one transaction. */
  async run(sql: string): Promise<void> {
    await this.#send(message('Q', text(sql)));
  }

  /** Sends lines in COPY's own form; the statement ends with `FROM STDIN`. */
  async copy(sql: string, lines: string): Promise<void> {
    const data = message('d', Buffer.from(lines));
    await this.#send(Buffer.concat([message('Q', text(sql)), data, message('c')]));
  }

  async prepare(name: string, sql: string): Promise<void> {
    await this.#send(Buffer.concat([message('P', text(name), text(sql), int16(0)), message('S')]));
  }

  /** Runs a prepared statement as a transaction of its own. */
  query(name: string, ...values: readonly string[]): Promise<readonly PostgresRow[]> {
    const parts = values.map((value) => withLengthOf(Buffer.from(value)));
    const bind = [text(''), text(name), int16(0), int16(values.length), ...parts, int16(0)];
    const all = [message('B', ...bind), message('E', text(''), Buffer.alloc(4)), message('S')];
    return this.#send(Buffer.concat(all));
  }

  #send(bytes: Buffer): Promise<readonly PostgresRow[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ rows: [], error: undefined, resolve, reject });
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    let at = 0;
    while (this.#received.length >= at + 5) {
      const end = at + 1 + this.#received.readInt32BE(at + 1);
      if (this.#received.length < end) break;
      this.#take(
        String.fromCharCode(this.#received[at] ?? 0),
        this.#received.subarray(at + 5, end),
      );
      at = end;
    }
    this.#received = this.#received.subarray(at);
  }

  #take(kindOfMessage: string, body: Buffer): void {
    const [waiting] = this.#waiting;
    if (waiting === undefined) return;
    if (kindOfMessage === kind.row) waiting.rows.push(parseRow(body));
    if (kindOfMessage === kind.error)
      waiting.error = new Error(body.toString().replaceAll('\0', ' '));
    if (kindOfMessage !== kind.ready) return;
    this.#waiting.shift();
    if (waiting.error === undefined) waiting.resolve(waiting.rows);
    else waiting.reject(waiting.error);
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(waiting.error ?? error);
  }
}

function parseRow(body: Buffer): PostgresRow {
  let at = 2;
  return Array.from({ length: body.readInt16BE(0) }, () => {
    const length = body.readInt32BE(at);
    const start = at + 4;
    at = start + Math.max(0, length);
    return length === -1 ? null : body.toString('utf8', start, at);
  });
}

function message(letter: string, ...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(letter), withLength(Buffer.concat(parts))]);
}

/** With a length before it that counts its own four bytes. */
function withLength(body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([length, body]);
}

/** With a length before it that does not count itself. */
function withLengthOf(value: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(value.length);
  return Buffer.concat([length, value]);
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}
