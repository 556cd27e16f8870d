import type { RepricerServer } from './repricer-server.ts';

/** What the service's metrics tell, and how long its event loop was late since they were asked last. */
export interface ScrapedMetrics {
  /** Records that are in the journal and not in product files. */
  readonly aggregationLagRecords: number;
  /** The 99th percentile; a loop with nothing to do has the 10 ms at which it is sampled. */
  readonly eventLoopDelayP99Ms: number;
}

/** Asks the backplane of a service that is not paused. */
export async function scrapeMetrics({ backplanePort }: RepricerServer): Promise<ScrapedMetrics> {
  const answer = await fetch(`http://127.0.0.1:${backplanePort}/metrics`);
  const text = await answer.text();
  return {
    aggregationLagRecords: sampleOf('repricer_aggregation_lag_records', text),
    eventLoopDelayP99Ms: sampleOf('nodejs_eventloop_lag_p99_seconds', text) * 1000,
  };
}

function sampleOf(name: string, text: string): number {
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  if (line === undefined) throw new Error(`the metrics have no ${name}`);
  return Number(line.slice(name.length));
}
