import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { ClientConnections, type Connection } from './client-connections.ts';
import { ClientUsage, type UsageTotals, usageSince, usageTotals } from './client-usage.ts';

/** As many as there can be tokens, and the one without; past it the one that was seen the longest ago is forgotten. */
const countedClientsMax = 1001;

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
  /** What each that was seen since the start had at that moment. */
  readonly #measured = new Map<ClientUsage, UsageTotals>();

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
    this.#measure(usage);
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

  /**
   * What the first hundred clients that were seen since the start did since then. What was counted before is
   * none of it: a crash loses the last of that, and a counter that goes back looks like all of it done again.
   */
  get measured(): readonly UsageTotals[] {
    this.#connections.settle();
    return [...this.#measured].map(([{ totals }, before]) => usageSince(before, totals));
  }

  #measure(usage: ClientUsage): void {
    if (this.#measured.size >= measuredClientsMax || this.#measured.has(usage)) return;
    this.#measured.set(usage, usage.totals);
  }

  #add(name: string | undefined): ClientUsage {
    const usage = ClientUsage.none(name ?? null);
    // A token's name has a character at least.
    this.#usages.set(name ?? '', usage);
    return usage;
  }
}
