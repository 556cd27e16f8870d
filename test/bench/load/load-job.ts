/** A stretch of requests, as the runner asks the load generator for it. */
export interface RequestsJob {
  readonly kind: 'requests';
  readonly port: number;
  readonly requests: RequestMix;
  readonly connections: number;
  /** For so long new requests are sent; those on their way are waited for after that. */
  readonly seconds: number;
  /** Goes on until every request that there is was sent; with no seconds, each is sent once. */
  readonly sendsAll: boolean;
  /** Whether a 503 is counted; otherwise it is wrong, like every status but the good one. */
  readonly mayRefuse: boolean;
}

/** A stretch of requests at a fixed rate. */
export interface PacedJob {
  readonly kind: 'paced';
  readonly port: number;
  readonly requests: RequestMix;
  /** Requests that are due wait for one of these. */
  readonly connections: number;
  readonly perSecond: number;
  /** After this no more are sent; the runner may say before that it was enough. */
  readonly seconds: number;
}

/** Ends the paced stretch that runs, if there is one. */
export interface EnoughOfIt {
  readonly kind: 'enough';
}

/** What is asked for: products are drawn from `product-0` to the one before the number; paths come in turn. */
export type RequestMix =
  | { readonly route: 'reprice' | 'price'; readonly products: number }
  | { readonly route: 'get'; readonly paths: readonly string[] };

/** The status that each route answers with when all is well. */
export const goodStatus = { reprice: 202, price: 200, get: 200 } as const;

/** What the load generator saw. */
export interface LoadResult {
  /** Those with the good status; the latencies are theirs. */
  readonly answers: number;
  readonly refused: number;
  /** From the first request to the last answer. */
  readonly seconds: number;
  /** Answers with a wrong status, by status. */
  readonly badStatuses: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** The load generator's own use of one CPU; near 1 it was the bottleneck. */
  readonly clientCpu: number;
}

/** One long NDJSON batch. */
export interface UploadJob {
  readonly kind: 'upload';
  readonly port: number;
  readonly records: number;
  /** Drawn from `product-0` to the one before the number, or each record of another product. */
  readonly products: number | 'each once';
}

export interface UploadResult {
  /** Lines of the answer, which are as many as those of the batch. */
  readonly answers: number;
  readonly seconds: number;
  readonly clientCpu: number;
}

/** One long answer, of which only its length and its beginning are looked at. */
export interface DownloadJob {
  readonly kind: 'download';
  readonly port: number;
  readonly path: string;
  readonly accept: string;
  /** After this it is cut off. */
  readonly seconds: number;
  /** The time of this text's end is told. */
  readonly marker: string;
}

export interface DownloadResult {
  readonly bytes: number;
  readonly seconds: number;
  /** From the request to the marker. */
  readonly markerMs: number;
  readonly clientCpu: number;
}

export type LoadJob = RequestsJob | PacedJob | UploadJob | DownloadJob;

/** The load generator's message to the runner. */
export type LoadReply =
  | { readonly result: LoadResult | UploadResult | DownloadResult }
  | { readonly problem: string };
