import { once } from 'node:events';
import net from 'node:net';
import { parseRedisValue, type RedisValue } from './redis-value.ts';

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
    for (let found = parseRedisValue(this.#received, at); found !== undefined; ) {
      at = found.end;
      const waiting = this.#waiting.shift();
      if (found.value instanceof Error) waiting?.reject(found.value);
      else waiting?.resolve(found.value);
      found = parseRedisValue(this.#received, at);
    }
    this.#received = this.#received.slice(at);
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
