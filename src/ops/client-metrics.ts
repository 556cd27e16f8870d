import { Counter, Gauge, type Registry } from 'prom-client';
import type { UsageTotals } from '../access/client-usage.ts';

/** What stands for all that came without a token that is known; no token has this name. */
const anonymous = '(anonymous)';

interface Measured {
  readonly name: string;
  readonly help: string;
  readonly read: (totals: UsageTotals) => number;
}

const counters: readonly Measured[] = [
  {
    name: 'repricer_client_requests_total',
    help: 'Requests of a client, for the first hundred clients that were seen since the start.',
    read: ({ requests }) => requests,
  },
  {
    name: 'repricer_client_accepted_total',
    help: 'Prices that were recorded for it.',
    read: ({ accepted }) => accepted,
  },
  {
    name: 'repricer_client_read_total',
    help: 'Requests that were answered with what they asked for, and were no reprices.',
    read: ({ read }) => read,
  },
  {
    name: 'repricer_client_refused_total',
    help: 'Requests, and lines of batches, that were refused or failed.',
    read: ({ refused }) => Object.values(refused).reduce((sum, times) => sum + times, 0),
  },
  {
    name: 'repricer_client_received_bytes_total',
    help: 'What came over its connections, headers included.',
    read: ({ receivedBytes }) => receivedBytes,
  },
  {
    name: 'repricer_client_sent_bytes_total',
    help: 'What went over its connections, headers included.',
    read: ({ sentBytes }) => sentBytes,
  },
];

/** Samples of what the clients asked for and got, taken over at each scrape. */
export class ClientMetrics {
  readonly #counters: readonly (readonly [Counter<'client'>, Measured['read']])[];
  readonly #lastSeen: Gauge<'client'>;

  constructor(registry: Registry) {
    const labels = { labelNames: ['client'] as const, registers: [registry] };
    this.#counters = counters.map(({ name, help, read }) => [
      new Counter({ name, help, ...labels }),
      read,
    ]);
    this.#lastSeen = new Gauge({
      name: 'repricer_client_last_seen_seconds',
      help: 'When it was seen last, in seconds since the Unix epoch.',
      ...labels,
    });
  }

  take(clients: readonly UsageTotals[]): void {
    for (const [counter, read] of this.#counters) {
      counter.reset();
      for (const totals of clients) counter.inc({ client: totals.name ?? anonymous }, read(totals));
    }
    for (const { name, lastSeen } of clients) {
      this.#lastSeen.set({ client: name ?? anonymous }, Date.parse(lastSeen) / 1000);
    }
  }
}
