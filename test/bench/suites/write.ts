import type { Bench } from '../bench.ts';
import type { Measure, SuiteResult } from '../report/measure.ts';
import { targets } from '../report/targets.ts';
import { inTurns } from './in-turns.ts';
import { requestSeries } from './load-series.ts';
import { withPeersBeside } from './peers-beside.ts';
import { ratiosToPeers } from './ratios-to-peers.ts';
import { requireAll } from './store-records.ts';

/** Durable reprices beside the peers; then the journal must have exactly as many. */
export async function measureWrites(bench: Bench): Promise<SuiteResult> {
  const { options, driver } = bench;
  const { rounds, seconds, products } = options;
  let acknowledged = 0;
  const { measures, skipped, recordsVerified } = await withPeersBeside(
    bench,
    'write',
    async ({ servers, service, skipped }) => {
      const measures: Measure[] = [];
      for (const connections of options.connections) {
        const results = await inTurns(servers, rounds, async (server) => {
          const requests = { route: 'reprice', products } as const;
          const job = { requests, connections, seconds, sendsAll: false, mayRefuse: false };
          const result = await driver.request(server, job);
          if (server === service) acknowledged += result.answers;
          return result;
        });
        const series = [...results].map(([{ name }, list]) => requestSeries(name, list));
        measures.push({
          title: `durable reprice, ${connections} connections`,
          unit: 'requests/s',
          series,
          ratios: ratiosToPeers(series, targets.write),
        });
      }
      return { measures, skipped };
    },
  );
  return { measures, skipped, notes: [requireAll(acknowledged, recordsVerified)], charts: [] };
}
