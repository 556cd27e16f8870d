import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Owner } from '../support/owner.ts';

/** What the proxy does to what passes, from now on. */
export type ProxyMode =
  | 'pass'
  /** Every connection is reset now, and each new one after a moment. */
  | 'cut'
  /** Each piece of data waits before it goes on. */
  | 'delay'
  /** Requests arrive and answers never do: the client cannot know whether it was heard. */
  | 'swallow answers'
  /** The client's data goes nowhere, and neither end is told. */
  | 'half-open';

const delayMs = 100;

/** A network between client and service that misbehaves on demand, where none can be made by the system. */
export class TcpProxy {
  readonly #server: Server;
  readonly #target: number;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #mode: ProxyMode = 'pass';

  private constructor(owner: Owner, target: number) {
    this.#target = target;
    this.#server = createServer((client) => this.#join(client));
    owner.teardown(() => this.close());
  }

  static async open(owner: Owner, target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(owner, target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Changes what happens to connections, the open ones included. What was swallowed stays so. */
  set(mode: ProxyMode): void {
    const wasSwallowing = this.#mode === 'half-open' || this.#mode === 'swallow answers';
    this.#mode = mode;
    // A stream with a hole in it would not be TCP.
    if (mode === 'cut' || wasSwallowing) this.#reset();
  }

  close(): void {
    this.#server.close();
    this.#reset();
  }

  #join(client: Socket): void {
    const service = connect(this.#target, '127.0.0.1');
    const pair = [client, service] as const;
    this.#pairs.add(pair);
    this.#carry(client, service, ['half-open']);
    this.#carry(service, client, ['half-open', 'swallow answers']);
    for (const socket of pair) {
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.#pairs.delete(pair);
        for (const end of pair) end.destroy();
      });
    }
    if (this.#mode === 'cut') setTimeout(() => this.#reset(), 10);
  }

  #carry(from: Socket, to: Socket, swallowedIn: readonly ProxyMode[]): void {
    from.on('data', (data) => {
      if (swallowedIn.includes(this.#mode)) return;
      const wait = this.#mode === 'delay' ? delayMs : 0;
      if (wait === 0) to.write(data);
      else setTimeout(() => to.write(data), wait);
    });
  }

  #reset(): void {
    for (const pair of this.#pairs) {
      this.#pairs.delete(pair);
      for (const socket of pair) socket.resetAndDestroy();
    }
  }
}
