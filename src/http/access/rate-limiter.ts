import type { IncomingMessage } from 'node:http';
import type { Client } from '../../access/client.ts';
import { clientNetwork } from '../../access/client-network.ts';
import { ClientRates } from '../../access/client-rates.ts';
import type { RateBucket, RateLimits } from '../../access/rate-bucket.ts';
import { RepricerError } from '../../errors.ts';

/** What became of a client's wish to have one more request served. */
export interface RateDecision {
  readonly rate: RateBucket;
  readonly isTaken: boolean;
  /** What every answer tells the client of it (draft-ietf-httpapi-ratelimit-headers-11). */
  readonly headers: Readonly<Record<string, string>>;
}

const policyName = '"client"';

/**
 * Holds clients to their rates. A client is its token, or without one its network as the connection has
 * it: anyone may write an X-Forwarded-For.
 */
export class RateLimiter {
  readonly #limits: RateLimits;
  readonly #rates: ClientRates;
  readonly #policy: string;

  constructor(limits: RateLimits) {
    this.#limits = limits;
    this.#rates = new ClientRates(limits);
    const { clientRate, clientBurst } = limits;
    this.#policy = `${policyName};q=${clientBurst};w=${Math.ceil(clientBurst / clientRate)}`;
  }

  take({ name }: Client, { socket }: Pick<IncomingMessage, 'socket'>): RateDecision {
    // A name has no colon.
    const rate = this.#rates.bucketOf(name ?? `:${clientNetwork(socket.remoteAddress ?? '')}`);
    const isTaken = rate.take(1) === 1;
    const level = presentRate(rate, this.#limits.clientRate);
    return { rate, isTaken, headers: { 'RateLimit-Policy': this.#policy, RateLimit: level } };
  }

  /** For a client that may not be served now. */
  get refusal(): RepricerError {
    const { clientRate, clientBurst } = this.#limits;
    const why = `At most ${clientRate} requests a second, and ${clientBurst} at once; nothing was done.`;
    return new RepricerError('RATE_LIMITED', why);
  }
}

/** `t` is the time in which what is left is used up at the rate at which it comes back. */
function presentRate(rate: RateBucket, perSecond: number): string {
  const left = Math.max(0, rate.level);
  const seconds = left === 0 ? secondsUntilNext(rate) : Math.ceil(left / perSecond);
  return `${policyName};r=${left};t=${seconds}`;
}

export function secondsUntilNext(rate: RateBucket): number {
  return Math.max(1, Math.ceil(rate.msUntil(1) / 1000));
}
