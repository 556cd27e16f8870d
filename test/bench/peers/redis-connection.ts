import { once } from 'node:events';
import net from 'node:net';

/** What Redis answers with; null where there is nothing. */
export type RedisValue = string | number | null | readonly RedisValue[];

interface Waiting {
  readonly resolve: (value: RedisValue) => void;
  readonly reject: (error: Error) => void;
}

/** One connection to Redis (RESP 2): commands go out as they come, and their answers come in the same order. */
export class RedisConnection {
  readonly #socket: net.Socket;
  readonly #waiting: Waiting[] = [];
  #received = '';

  private constructor(path: string) {
    this.#socket = net.connect(path);
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text) => this.#receive(String(text)));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new Error('Redis closed the connection')));
  }

  /** Over a socket in the file system. */
  static async open(path: string): Promise<RedisConnection> {
    const connection = new RedisConnection(path);
    await once(connection.#socket, 'connect');
    return connection;
  }

  command(...words: readonly string[]): Promise<RedisValue> {
    const text = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('');
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(`*${words.length}\r\n${text}`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.#received += text;
    let at = 0;
    for (let found = parse(this.#received, at); found !== undefined; ) {
      at = found.end;
      const waiting = this.#waiting.shift();
      if (found.value instanceof Error) waiting?.reject(found.value);
      else waiting?.resolve(found.value);
      found = parse(this.#received, at);
    }
    this.#received = this.#received.slice(at);
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

/** The value that begins at `start`, and where it ends; undefined while it is not whole. */
function parse(
  text: string,
  start: number,
): { readonly value: RedisValue | Error; readonly end: number } | undefined {
  const lineEnd = text.indexOf('\r\n', start);
  if (lineEnd === -1) return undefined;
  const line = text.slice(start + 1, lineEnd);
  const next = lineEnd + 2;
  switch (text[start] ?? '') {
    case '+':
      return { value: line, end: next };
    case ':':
      return { value: Number(line), end: next };
    case '-':
      return { value: new Error(line), end: next };
    case '$':
      return parseBulk(text, next, Number(line));
    default:
      return parseArray(text, next, Number(line));
  }
}

function parseBulk(text: string, start: number, length: number) {
  if (length === -1) return { value: null, end: start };
  const end = start + length;
  return text.length < end + 2 ? undefined : { value: text.slice(start, end), end: end + 2 };
}

function parseArray(text: string, start: number, length: number) {
  const values: RedisValue[] = [];
  let end = start;
  while (values.length < length) {
    const found = parse(text, end);
    if (found === undefined) return undefined;
    if (found.value instanceof Error) return found;
    values.push(found.value);
    end = found.end;
  }
  return { value: values, end };
}
