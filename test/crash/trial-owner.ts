import type { Owner } from '../support/owner.ts';

/** Ends what was started for a trial or for a whole fault, the last one first. */
export class TrialOwner implements Owner {
  readonly #ends: (() => unknown)[] = [];

  teardown(end: () => unknown): void {
    this.#ends.push(end);
  }

  /** Closes it in the end. */
  own<T extends { close(): unknown }>(owned: T): T {
    this.teardown(() => owned.close());
    return owned;
  }

  async end(): Promise<void> {
    for (let end = this.#ends.pop(); end !== undefined; end = this.#ends.pop()) await end();
  }
}
