/** How much a client may ask for. */
export interface RateLimits {
  /** What comes back every second, in requests or lines of batches; 0 limits nobody. */
  readonly clientRate: number;
  /** The most that a client which was quiet may ask for at once. */
  readonly clientBurst: number;
}

/**
 * What one client may still ask for (a token bucket): full at the start, filled at a steady rate. It may
 * be overdrawn, and then has to fill up to nothing first.
 */
export class RateBucket {
  readonly #limits: RateLimits;
  readonly #nowMs: () => number;
  #level: number;
  #filledAtMs: number;

  constructor(limits: RateLimits, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
    this.#level = limits.clientBurst;
    this.#filledAtMs = nowMs();
  }

  /** What may be taken now, in whole units; less than nothing when it is overdrawn. */
  get level(): number {
    const nowMs = this.#nowMs();
    const { clientRate, clientBurst } = this.#limits;
    this.#level += ((nowMs - this.#filledAtMs) * clientRate) / 1000;
    this.#level = Math.min(this.#level, clientBurst);
    this.#filledAtMs = nowMs;
    return Math.floor(this.#level);
  }

  /** Takes what there is, up to `countMax`, and gives how much that was. */
  take(countMax: number): number {
    const taken = Math.max(0, Math.min(this.level, countMax));
    this.#level -= taken;
    return taken;
  }

  /** Takes all of it, also what is not there yet. */
  overdraw(count: number): void {
    this.#level -= count;
  }

  /** How long until `count`, or as much as there is room for, may be taken when nobody else takes any. */
  msUntil(count: number): number {
    const { clientRate, clientBurst } = this.#limits;
    const wanted = Math.min(count, clientBurst);
    return this.level >= wanted ? 0 : ((wanted - this.#level) * 1000) / clientRate;
  }

  /** How much comes back in this time, at least 1. */
  inMs(ms: number): number {
    return Math.max(1, Math.floor((this.#limits.clientRate * ms) / 1000));
  }
}
