import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import { tokenNameForm } from './token-list.ts';

const count = z.int().min(0);

/** What a client asked for and got since it is counted, in the form that is kept and shown. */
export const usageTotals = z.strictObject({
  /** Of its token; null for all who came without one that is known here. */
  name: z.string().regex(tokenNameForm).nullable(),
  requests: count,
  /** Prices that were recorded for it, and not those that it sent again or tried only. */
  accepted: count,
  /** Requests that were answered with what they asked for, and were no reprices. */
  read: count,
  /** Requests, and lines of batches, by the code in the log. */
  refused: z.record(z.string(), count),
  /** Over its connections, headers included. */
  receivedBytes: count,
  sentBytes: count,
  /** When it sent its last request, or was last seen to have one under way; RFC 3339. */
  lastSeen: z.iso.datetime(),
});

export type UsageTotals = z.infer<typeof usageTotals>;

/** What became of a request. */
export interface RequestTally {
  readonly accepted: number;
  readonly read: number;
  readonly refused: ReadonlyMap<ErrorCode, number>;
}

/** What has been added since a moment before; the moment when it was last seen is that of now. */
export function usageSince(before: UsageTotals, now: UsageTotals): UsageTotals {
  const refused = Object.entries(now.refused).map(([code, times]) => [
    code,
    times - (before.refused[code] ?? 0),
  ]);
  return {
    name: now.name,
    requests: now.requests - before.requests,
    accepted: now.accepted - before.accepted,
    read: now.read - before.read,
    refused: Object.fromEntries(refused) as UsageTotals['refused'],
    receivedBytes: now.receivedBytes - before.receivedBytes,
    sentBytes: now.sentBytes - before.sentBytes,
    lastSeen: now.lastSeen,
  };
}

/** Counts what one client asks for and gets. */
export class ClientUsage {
  readonly #name: string | null;
  readonly #refused: Map<string, number>;
  #requests: number;
  #accepted: number;
  #read: number;
  #receivedBytes: number;
  #sentBytes: number;
  #lastSeenMs: number;

  /** Goes on from what was counted before. */
  constructor(before: UsageTotals) {
    this.#name = before.name;
    this.#requests = before.requests;
    this.#accepted = before.accepted;
    this.#read = before.read;
    this.#refused = new Map(Object.entries(before.refused));
    this.#receivedBytes = before.receivedBytes;
    this.#sentBytes = before.sentBytes;
    this.#lastSeenMs = Date.parse(before.lastSeen);
  }

  static none(name: string | null): ClientUsage {
    return new ClientUsage({
      name,
      ...{ requests: 0, accepted: 0, read: 0, refused: {}, receivedBytes: 0, sentBytes: 0 },
      lastSeen: new Date(0).toISOString(),
    });
  }

  get totals(): UsageTotals {
    return {
      name: this.#name,
      requests: this.#requests,
      accepted: this.#accepted,
      read: this.#read,
      refused: Object.fromEntries(this.#refused),
      receivedBytes: this.#receivedBytes,
      sentBytes: this.#sentBytes,
      lastSeen: new Date(this.#lastSeenMs).toISOString(),
    };
  }

  addRequest(nowMs: number): void {
    this.#requests += 1;
    this.#lastSeenMs = nowMs;
  }

  addTally({ accepted, read, refused }: RequestTally): void {
    this.#accepted += accepted;
    this.#read += read;
    for (const [code, times] of refused) {
      this.#refused.set(code, (this.#refused.get(code) ?? 0) + times);
    }
  }

  addBytes(received: number, sent: number, nowMs: number): void {
    if (received === 0 && sent === 0) return;
    this.#receivedBytes += received;
    this.#sentBytes += sent;
    this.#lastSeenMs = nowMs;
  }
}
