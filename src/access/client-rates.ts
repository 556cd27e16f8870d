import { LRUCache } from 'lru-cache';
import { RateBucket, type RateLimits } from './rate-bucket.ts';

/** More than there can be tokens, so that only addresses can be forgotten. */
const bucketsMax = 10_000;

/**
 * The buckets of the clients that were seen lately, by who they are. Past the bound the one that was
 * quiet the longest is forgotten, and begins with a full one when it comes again.
 */
export class ClientRates {
  readonly #limits: RateLimits;
  readonly #nowMs: () => number;
  readonly #buckets = new LRUCache<string, RateBucket>({ max: bucketsMax });

  constructor(limits: RateLimits, nowMs: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  bucketOf(key: string): RateBucket {
    const known = this.#buckets.get(key);
    if (known !== undefined) return known;
    const bucket = new RateBucket(this.#limits, this.#nowMs);
    this.#buckets.set(key, bucket);
    return bucket;
  }
}
