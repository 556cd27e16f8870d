/** Someone who waits until everything up to `seq` is in product files, and on disk. */
interface FlushRequest {
  readonly seq: number;
  readonly resolve: (checkpointSeq: number) => void;
  readonly reject: (error: unknown) => void;
}

/** Those who wait for a checkpoint. */
export class FlushRequests {
  #waiting: readonly FlushRequest[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Resolves with the checkpoint's seq once it is not below `seq`; rejects with what fails before that. */
  add(seq: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting = [...this.#waiting, { seq, resolve, reject }];
    });
  }

  /** The checkpoint is at `checkpointSeq`. */
  resolve(checkpointSeq: number): void {
    for (const { resolve } of this.#take(checkpointSeq)) resolve(checkpointSeq);
  }

  reject(error: unknown): void {
    for (const { reject } of this.#take(Number.POSITIVE_INFINITY)) reject(error);
  }

  /** Those who wait for no record past `seq`. */
  #take(seq: number): readonly FlushRequest[] {
    const taken = this.#waiting.filter((request) => request.seq <= seq);
    this.#waiting = this.#waiting.filter((request) => request.seq > seq);
    return taken;
  }
}
