import { type NumberedLine, numberLine } from './numbered-line.ts';
import type { BatchLine } from './reprice-request.ts';

/**
 * The lines of a batch from when they are taken from the caller until their results have come, in order.
 *
 * Invariant: at most `linesMax` are held; more are taken from the caller when half of them are answered.
 */
export class BatchLines {
  readonly #linesMax: number;
  #held: NumberedLine[] = [];
  #taken = 0;
  #isClosed = false;
  #isInputOver = false;
  #inputError: Error | undefined;
  #wakeInput = () => {};
  #wakeSender = () => {};

  constructor(lines: Iterable<BatchLine> | AsyncIterable<BatchLine>, linesMax: number) {
    this.#linesMax = linesMax;
    void this.#takeAll(lines);
  }

  /** The first line without a result; undefined when all that were taken have theirs. */
  get first(): NumberedLine | undefined {
    return this.#held[0];
  }

  /** Whether every line of the caller has its result. */
  get areAllAnswered(): boolean {
    return this.#isInputOver && this.#held.length === 0;
  }

  /** The held lines from the given number of them on. */
  from(index: number): readonly NumberedLine[] {
    return this.#held.slice(index);
  }

  /** The result of the first has come. */
  dropFirst(): void {
    this.#held.shift();
    // One line at a time would be sent in as many pieces.
    if (this.#held.length <= this.#linesMax / 2) this.#wakeInput();
  }

  /** Resolves when more than `count` lines are held or the caller has no more, and at the latest by `wake`. */
  async untilMoreThan(count: number): Promise<void> {
    if (this.#held.length > count || this.#isInputOver) return;
    await new Promise<void>((resolve) => {
      this.#wakeSender = resolve;
    });
  }

  /** Ends the waiting for lines. */
  readonly wake = (): void => this.#wakeSender();

  /** Throws what the caller's lines threw, if they did. */
  throwInputError(): void {
    if (this.#inputError !== undefined) throw this.#inputError;
  }

  /** Takes no more lines, and lets the caller's iterator know. */
  close(): void {
    this.#isClosed = true;
    this.#held = [];
    this.#wakeInput();
  }

  async #takeAll(lines: Iterable<BatchLine> | AsyncIterable<BatchLine>): Promise<void> {
    try {
      for await (const line of lines) {
        this.#hold(line);
        if (this.#held.length >= this.#linesMax && !this.#isClosed) await this.#untilRoom();
        if (this.#isClosed) return;
      }
    } catch (error) {
      this.#inputError = error instanceof Error ? error : new Error(String(error));
    } finally {
      this.#isInputOver = true;
      this.#wakeSender();
    }
  }

  #hold(update: BatchLine): void {
    this.#taken += 1;
    this.#held.push(numberLine(this.#taken, update));
    this.#wakeSender();
  }

  #untilRoom(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeInput = resolve;
    });
  }
}
