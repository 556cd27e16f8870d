import type { Snapshot } from '../storage/snapshot.ts';

/**
 * Tells how far a copy is: on a terminal one line that is written over at every percent, elsewhere a
 * line for every tenth.
 */
export class CopyProgress {
  readonly #verb: string;
  readonly #bytesTotal: number;
  readonly #write: (text: string) => Promise<void>;
  readonly #isTerminal: boolean;
  #bytes = 0;
  #shown = 0;

  constructor(verb: string, { files }: Snapshot, { write, isTerminal }: ProgressOutput) {
    this.#verb = verb;
    this.#bytesTotal = files.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#write = write;
    this.#isTerminal = isTerminal;
  }

  readonly onBytes = async (file: string, bytes: number): Promise<void> => {
    this.#bytes += bytes;
    const percent = Math.floor((this.#bytes / this.#bytesTotal) * 100);
    const steps = this.#isTerminal ? percent : Math.floor(percent / 10);
    if (steps === this.#shown) return;
    this.#shown = steps;
    const text = `${this.#verb} ${percent} %, ${this.#bytes} of ${this.#bytesTotal} bytes`;
    if (!this.#isTerminal) return this.#write(`${text}\n`);
    const end = percent === 100 ? '\n' : '';
    await this.#write(`\r\u001b[K${text}: ${file}${end}`);
  };
}

/** Where progress is shown. */
export interface ProgressOutput {
  /** Is not called again before it has resolved. */
  write(text: string): Promise<void>;
  readonly isTerminal: boolean;
}
