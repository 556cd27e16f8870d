/** One stretch of load, as the runner asks the load generator for it. */
export interface LoadJob {
  readonly port: number;
  readonly route: 'reprice' | 'price';
  readonly connections: number;
  /** For so long new requests are sent; those on their way are waited for after that. */
  readonly seconds: number;
  /** Goes on until every request that there is was sent, so that later reads find a price for each. */
  readonly isWarmUp: boolean;
  /** Products are drawn from `product-0` to the one before this number. */
  readonly products: number;
}

/** What the load generator saw. */
export interface LoadResult {
  readonly answers: number;
  /** From the first request to the last answer. */
  readonly seconds: number;
  /** Answers with another status than the route's good one, by status. */
  readonly badStatuses: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The load generator's own use of one CPU; near 1 it was the bottleneck. */
  readonly clientCpu: number;
}

/** The load generator's message to the runner. */
export type LoadReply = { readonly result: LoadResult } | { readonly problem: string };

/** The status that each route answers with when all is well. */
export const goodStatus = { reprice: 202, price: 200 } as const;
