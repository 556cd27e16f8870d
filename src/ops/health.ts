/** One thing that keeps the service from being ready. */
export interface UnreadyReason {
  readonly reason: string;
  readonly detail?: string;
}

/** Whether the service may be sent requests. Invariant: it is ready when no reason stands against it. */
export class Health {
  readonly #reasons = new Map<string, UnreadyReason>();

  get isReady(): boolean {
    return this.#reasons.size === 0;
  }

  /** What stands against it, oldest first. */
  get reasons(): readonly UnreadyReason[] {
    return [...this.#reasons.values()];
  }

  /** `reason` stands until it is cleared; said again, its detail is replaced. */
  notReady(reason: string, detail?: string): void {
    this.#reasons.set(reason, detail === undefined ? { reason } : { reason, detail });
  }

  cleared(reason: string): void {
    this.#reasons.delete(reason);
  }
}
