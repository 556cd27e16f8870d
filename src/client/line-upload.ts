import type { BatchLines, NumberedLine } from './batch-lines.ts';

/** The body of one request of a batch: the lines that are held, from the first, and those to come. */
export class LineUpload {
  readonly body: ReadableStream<Uint8Array>;
  readonly #lines: BatchLines;
  readonly #encoder = new TextEncoder();
  /** How many of the held lines were sent. */
  #sent = 0;
  #isClosed = false;

  constructor(lines: BatchLines) {
    this.#lines = lines;
    this.body = new ReadableStream<Uint8Array>(
      { pull: (controller) => this.#pull(controller), cancel: () => this.close() },
      // Nothing waits here: lines are asked for when the socket takes them.
      { highWaterMark: 0 },
    );
  }

  /** The first of the held lines has its result. */
  answered(): void {
    this.#sent -= 1;
  }

  /** Takes no more lines: they are for another request. */
  close(): void {
    this.#isClosed = true;
    this.#lines.wake();
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    await this.#lines.untilMoreThan(this.#sent);
    if (this.#isClosed) return;
    const lines = this.#lines.from(this.#sent);
    this.#sent += lines.length;
    if (lines.length === 0) controller.close();
    else controller.enqueue(this.#encoder.encode(lines.map(textOf).join('')));
  }
}

export function textOf({ update }: NumberedLine): string {
  const { productId, price, currency, source, reason } = update;
  const { expectedPreviousPrice, idempotencyKey } = update;
  const annotations = { currency, source, reason };
  const fields = { productId, price, ...annotations, expectedPreviousPrice, idempotencyKey };
  return `${JSON.stringify(fields)}\n`;
}
