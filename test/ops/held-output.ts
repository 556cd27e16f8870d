/** An output whose writes end when the test says so. */
export class HeldOutput {
  /** What each write was given, in order. */
  readonly texts: string[] = [];
  writesRunning = 0;
  #end: { resolve(): void; reject(error: Error): void } | undefined;
  #begun: (() => void)[] = [];

  readonly write = (bytes: Buffer): Promise<void> => {
    this.texts.push(bytes.toString());
    this.writesRunning++;
    for (const resolve of this.#begun.splice(0)) resolve();
    return new Promise((resolve, reject) => {
      this.#end = { resolve, reject };
    });
  };

  /** Resolves when the write of this number, counted from 1, has begun. */
  async begun(write: number): Promise<void> {
    while (this.texts.length < write) {
      await new Promise<void>((resolve) => this.#begun.push(resolve));
    }
  }

  release(): void {
    this.writesRunning--;
    this.#end?.resolve();
  }

  fail(error: Error): void {
    this.writesRunning--;
    this.#end?.reject(error);
  }
}
