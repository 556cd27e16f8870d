import { once } from 'node:events';
import http from 'node:http';

/** An event as a client of the feed gets it. */
export interface StreamEvent {
  /** The last event id at that time. */
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** A client of server-sent events, after the algorithm of WHATWG HTML, section 9.2.6. */
export class EventStream {
  readonly #request: http.ClientRequest;
  readonly #response: http.IncomingMessage;
  readonly events: StreamEvent[] = [];
  readonly comments: string[] = [];
  /** Whether the service ended the stream as HTTP wants it ended, and did not break the connection. */
  isEnded = false;
  isClosed = false;
  lastEventId = '';
  #idBuffer = '';
  #rest = '';
  #wake = () => {};

  private constructor(request: http.ClientRequest, response: http.IncomingMessage) {
    this.#request = request;
    this.#response = response;
    response.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    response.on('end', () => {
      this.isEnded = response.complete;
    });
    // A broken connection shows in `isClosed` without `isEnded`.
    response.on('error', () => this.#wake());
    response.on('close', () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  /** Resolves when the head of the answer is there, and throws when it is no stream. */
  static async open(url: string, headers: http.OutgoingHttpHeaders = {}): Promise<EventStream> {
    const request = http.get(url, { headers, agent: false });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    request.on('error', () => {});
    if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode}`);
    return new EventStream(request, response);
  }

  get headers(): http.IncomingHttpHeaders {
    return this.#response.headers;
  }

  /** The seqs of the price events so far. */
  get seqs(): readonly number[] {
    return this.events.filter(({ type }) => type === 'price').map(({ id }) => Number(id));
  }

  /** Resolves when `holds` does, looked at after each arrival; throws when the stream is closed before. */
  async until(holds: (stream: this) => boolean): Promise<void> {
    while (!holds(this)) {
      if (this.isClosed) throw new Error(`the stream closed: ${JSON.stringify(this.events)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async untilSeq(seq: number): Promise<void> {
    await this.until(({ events }) => Number(events.at(-1)?.id ?? 0) >= seq);
  }

  /** Resolves when the service has ended or broken the stream. */
  async untilClosed(): Promise<void> {
    await this.until(({ isClosed }) => isClosed);
  }

  /** Takes nothing more from the socket, so that its buffers fill. */
  stopReading(): void {
    this.#response.pause();
  }

  readAgain(): void {
    this.#response.resume();
  }

  close(): void {
    this.#request.destroy();
  }

  #take(text: string): void {
    const blocks = (this.#rest + text).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) this.#dispatch(block.split('\n'));
    this.#wake();
  }

  #dispatch(lines: readonly string[]): void {
    const data: string[] = [];
    let type = 'message';
    for (const line of lines) {
      const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
      if (field === '') this.comments.push(value);
      else if (field === 'id') this.#idBuffer = value;
      else if (field === 'event') type = value;
      else if (field === 'data') data.push(value);
    }
    this.lastEventId = this.#idBuffer;
    if (data.length > 0) this.events.push({ id: this.lastEventId, type, data: data.join('\n') });
  }
}
