import type { Bench } from '../bench.ts';
import { requestsMade } from '../load/requests.ts';
import type { Measure, SuiteResult } from '../report/measure.ts';
import { targets } from '../report/targets.ts';
import { inTurns } from './in-turns.ts';
import { requestSeries } from './load-series.ts';
import { withPeersBeside } from './peers-beside.ts';
import { ratiosToPeers } from './ratios-to-peers.ts';

/** Reads of the current price beside the peers, of products that have one. */
export async function measureReads(bench: Bench): Promise<SuiteResult> {
  const { options, driver } = bench;
  const { rounds, seconds, products } = options;
  const { measures, skipped } = await withPeersBeside(bench, 'read', async (beside) => {
    const { servers, skipped } = beside;
    // The same products in the same order as the reads will ask for.
    const prices = { records: requestsMade, products };
    for (const server of servers) await driver.upload(server, prices);
    const measures: Measure[] = [];
    for (const connections of options.connections) {
      const results = await inTurns(servers, rounds, (server) => {
        const requests = { route: 'price', products } as const;
        const job = { requests, connections, seconds, sendsAll: false, mayRefuse: false };
        return driver.request(server, job);
      });
      const series = [...results].map(([{ name }, list]) => requestSeries(name, list));
      const ratios = ratiosToPeers(series, targets.read);
      const title = `GET price, ${connections} connections`;
      measures.push({ title, unit: 'requests/s', series, ratios });
    }
    return { measures, skipped };
  });
  return { measures, skipped, notes: [], charts: [] };
}
