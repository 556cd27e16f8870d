import { UnreadableAnswer } from './answer-fields.ts';
import type { BatchLines } from './batch-lines.ts';
import { lineText, type NumberedLine } from './numbered-line.ts';

/** The body of one request of a batch: the lines that are held, from the first, and those to come. */
export class LineUpload {
  readonly body: ReadableStream<Uint8Array>;
  readonly #lines: BatchLines;
  readonly #encoder = new TextEncoder();
  /** How many of the held lines were sent. */
  #sent = 0;
  #answered = 0;
  #isClosed = false;

  constructor(lines: BatchLines) {
    this.#lines = lines;
    this.body = new ReadableStream<Uint8Array>(
      { pull: (controller) => this.#pull(controller), cancel: () => this.close() },
      // Nothing waits here: lines are asked for when the socket takes them.
      { highWaterMark: 0 },
    );
  }

  /** The line whose result has come: the first that is held. `number` counts those of this request. */
  answered(number: number): NumberedLine {
    const { first } = this.#lines;
    this.#answered += 1;
    if (first === undefined || number !== this.#answered) {
      throw new UnreadableAnswer(`the result of line ${this.#answered}`);
    }
    this.#lines.dropFirst();
    this.#sent -= 1;
    return first;
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
    else controller.enqueue(this.#encoder.encode(lines.map(lineText).join('')));
  }
}
