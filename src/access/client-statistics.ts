import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { ClientConnections, type Connection } from './client-connections.ts';
import { ClientUsage, type UsageTotals, usageTotals } from './client-usage.ts';

/** As many as there can be tokens; past it the client that was seen the longest ago is forgotten. */
const countedClientsMax = 1000;

/** How many clients have metrics, each of which is some series for ever. */
const measuredClientsMax = 100;

/** What was counted since when (RFC 3339), in the form that is kept and shown. */
export const countedClients = z.strictObject({
  since: z.iso.datetime(),
  clients: z.array(usageTotals).max(countedClientsMax),
});

export type CountedClients = z.infer<typeof countedClients>;

/** Counts what each client asks for and gets; all that come without a known token are one. */
export class ClientStatistics {
  readonly #nowMs: () => number;
  readonly #since: string;
  readonly #usages = new LRUCache<string, ClientUsage>({ max: countedClientsMax });
  readonly #connections: ClientConnections;
  readonly #measured = new Set<ClientUsage>();

  /** Goes on from what was counted before. */
  constructor(before: CountedClients | undefined, nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
    this.#since = before?.since ?? new Date(nowMs()).toISOString();
    this.#connections = new ClientConnections(nowMs);
    for (const totals of before?.clients.toReversed() ?? []) {
      this.#usages.set(totals.name ?? '', new ClientUsage(totals));
    }
  }

  /** A request came over this connection; the client is known by its token's name, or not. */
  countRequest(name: string | undefined, connection: Connection): ClientUsage {
    const usage = this.#usages.get(name ?? '') ?? this.#add(name);
    if (this.#measured.size < measuredClientsMax) this.#measured.add(usage);
    usage.addRequest(this.#nowMs());
    this.#connections.use(connection, usage);
    return usage;
  }

  /** All of it, the client that was seen last first. */
  get counted(): CountedClients {
    this.#connections.settle();
    const clients = [...this.#usages.values()].map(({ totals }) => totals);
    return { since: this.#since, clients };
  }

  /** Of the first hundred that were seen since the start. */
  get measured(): readonly UsageTotals[] {
    this.#connections.settle();
    return [...this.#measured].map(({ totals }) => totals);
  }

  #add(name: string | undefined): ClientUsage {
    const usage = ClientUsage.none(name ?? null);
    // A token's name has a character at least.
    this.#usages.set(name ?? '', usage);
    return usage;
  }
}
