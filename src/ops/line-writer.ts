/** So many bytes are written without waiting for more. */
const flushBytes = 16 * 1024;

/** Fewer bytes than that wait this long for more. */
const flushDelayMs = 20;

/** Bytes that wait or are being written; lines beyond are dropped. */
const bufferBytesMax = 1024 * 1024;

/**
 * Lines on their way to a reader that may be slow or gone. Adding a line never waits.
 *
 * Invariant: one write runs at a time, and what waits or is being written never exceeds 1 MiB; lines
 * beyond that are dropped and counted.
 *
 * The lines of a failed write count as dropped too. The reader is told how many were dropped as soon
 * as it takes lines again; until then there is nobody to tell, so no failure leaves this class.
 */
export class LineWriter {
  readonly #write: (bytes: Buffer) => Promise<void>;
  readonly #formatDropped: (lines: number) => string;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #writingBytes = 0;
  #droppedLines = 0;
  #unreportedLines = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Whether someone waits until nothing waits any more. */
  #isAwaited = false;
  /** Settles when so little waits that others are waited for; undefined while no write runs. */
  #writing: Promise<void> | undefined;

  /** `formatDropped` gives the line, without its end, that tells how many lines were dropped. */
  constructor(write: (bytes: Buffer) => Promise<void>, formatDropped: (lines: number) => string) {
    this.#write = write;
    this.#formatDropped = formatDropped;
  }

  /** Lines that no reader will see, since the start. */
  get droppedLines(): number {
    return this.#droppedLines;
  }

  /** Takes a line without its end. */
  add(text: string): void {
    const line = `${text}\n`;
    const bytes = Buffer.byteLength(line);
    if (this.#waitingBytes + this.#writingBytes + bytes > bufferBytesMax) {
      this.#drop(1);
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += bytes;
    if (this.#waitingBytes >= flushBytes) this.#flush();
    else this.#flushLater();
  }

  /** Resolves when all lines are written, or after `timeoutMs` when the reader does not take them. */
  async flushed(timeoutMs: number): Promise<void> {
    this.#isAwaited = true;
    this.#flush();
    let timer: NodeJS.Timeout | undefined;
    const timedOut = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([this.#writing, timedOut]);
    clearTimeout(timer);
    this.#isAwaited = false;
  }

  #flushLater(): void {
    this.#timer ??= setTimeout(() => this.#flush(), flushDelayMs);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length > 0) this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    let isTaken: boolean;
    do {
      isTaken = await this.#writeWaiting();
    } while (this.#mustGoOn || (isTaken && this.#unreportedLines > 0));
    this.#writing = undefined;
    if (this.#waiting.length > 0) this.#flushLater();
  }

  /** A write of a few lines takes as long as one of many, so after a write others are waited for again. */
  get #mustGoOn(): boolean {
    const isEnough = this.#waitingBytes >= flushBytes;
    return isEnough || (this.#isAwaited && this.#waiting.length > 0);
  }

  /** Whether the reader took the lines. */
  async #writeWaiting(): Promise<boolean> {
    const lines = this.#waiting;
    const reported = this.#unreportedLines;
    const notice = reported > 0 ? `${this.#formatDropped(reported)}\n` : '';
    this.#writingBytes = this.#waitingBytes;
    this.#waiting = [];
    this.#waitingBytes = 0;
    try {
      await this.#write(Buffer.from(lines.join('') + notice));
      this.#unreportedLines -= reported;
      return true;
    } catch {
      this.#drop(lines.length);
      return false;
    } finally {
      this.#writingBytes = 0;
    }
  }

  #drop(lines: number): void {
    this.#droppedLines += lines;
    this.#unreportedLines += lines;
  }
}
