import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Owner } from '../support/owner.ts';

/** What happens to a request on its way. */
export type Fault =
  | 'pass'
  /** It never arrives, and its connection breaks. */
  | 'lose the request'
  /** It arrives and is served, and the connection breaks before a byte of the answer. */
  | 'lose the answer'
  /** Its connection stays open, and nothing is ever sent on it. */
  | 'be silent'
  /** It never arrives, and is answered otherwise. */
  | { readonly status: number; readonly headers?: http.OutgoingHttpHeaders; readonly body?: string }
  /** Its answer breaks after so many bytes, and is silent from there on with `isSilent`. */
  | { readonly bytes: number; readonly isSilent?: boolean };

/** Stands between a client and a service, and does to each request what a test says. */
export class UnrulyProxy {
  readonly requests: http.IncomingMessage[] = [];
  /** The port of the service, which may come back on another one. */
  target: number;
  readonly #server: http.Server;
  readonly #faults: Fault[] = [];
  readonly #serving = new Set<http.ServerResponse>();
  readonly #agent = new http.Agent();

  private constructor(target: number) {
    this.target = target;
    this.#server = http.createServer((request, response) => this.#serve(request, response));
  }

  static async open(t: Owner, target = 0): Promise<UnrulyProxy> {
    const proxy = new UnrulyProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    t.teardown(() => proxy.close());
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The idempotency keys of the requests so far. */
  get keys(): readonly unknown[] {
    return this.requests.map(({ headers }) => headers['idempotency-key']);
  }

  /** Says what happens to the next requests, in their order; those after them pass. */
  willDo(...faults: readonly Fault[]): void {
    this.#faults.push(...faults);
  }

  /** Resolves when so many requests have come. */
  async untilRequests(count: number): Promise<void> {
    while (this.requests.length < count) await once(this.#server, 'request');
  }

  /** Resolves when every request has been answered or given up. */
  async untilNoneIsServed(): Promise<void> {
    await Promise.all([...this.#serving].map((response) => once(response, 'close')));
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
  }

  #serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    const fault = this.#faults.shift() ?? 'pass';
    this.requests.push(request);
    this.#serving.add(response);
    response.on('close', () => this.#serving.delete(response));
    request.on('error', () => response.destroy());
    if (fault === 'be silent') return;
    if (fault === 'lose the request') response.destroy();
    else if (typeof fault === 'object' && 'status' in fault) {
      response.writeHead(fault.status, fault.headers);
      response.end(fault.body);
    } else this.#forward(request, response, fault);
  }

  #forward(request: http.IncomingMessage, response: http.ServerResponse, fault: Fault): void {
    const { method, url, headers } = request;
    const onward = http.request({
      ...{ host: '127.0.0.1', port: this.target, agent: this.#agent },
      ...{ method, path: url, headers },
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    onward.on('response', (answer) => {
      if (fault === 'lose the answer') answer.resume().on('end', () => response.destroy());
      else void this.#answer(answer, response, fault);
    });
    request.pipe(onward);
  }

  async #answer(
    answer: http.IncomingMessage,
    response: http.ServerResponse,
    fault: Fault,
  ): Promise<void> {
    answer.on('error', () => response.destroy());
    response.writeHead(answer.statusCode ?? 0, answer.headers).flushHeaders();
    if (typeof fault !== 'object' || !('bytes' in fault)) {
      answer.pipe(response);
      return;
    }
    let left = fault.bytes;
    answer.on('data', (piece: Buffer) => {
      const part = piece.subarray(0, left);
      left -= part.length;
      if (left > 0) response.write(part);
      else if (part.length > 0) response.write(part, () => fault.isSilent || response.destroy());
    });
    answer.on('end', () => left > 0 && response.end());
  }
}
