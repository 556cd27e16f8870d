import type { IncomingHttpHeaders } from 'node:http';
import type { StoredRecord } from '../checker/stored-record.ts';
import type { Conversation } from './conversation.ts';
import { isWellFramed } from './is-well-framed.ts';
import { pricesIn } from './prices-in.ts';

/** What the journal is to hold for an answer 202. */
interface Promised {
  readonly version: string;
  readonly location: string;
  /** Those that the request may have asked for. */
  readonly prices: ReadonlySet<string>;
  /** Whether it may be one of the requests that are counted as in doubt. */
  readonly isInDoubt: boolean;
}

export interface Attributed {
  readonly acknowledged: number;
  /** What was acknowledged and is not in the journal as it was, a sentence each. */
  readonly lost: readonly string[];
  /** Records of requests that were refused, that should not have been served at all, or of none. */
  readonly phantoms: readonly StoredRecord[];
}

/**
 * Which request made which record of a journal.
 *
 * Answers come in the order of requests, so up to the first request whose framing may be broken answer
 * i is to request i. Behind it nobody can tell how many requests the text is, so an answer may be to
 * any of them. A record is traced to what asked for it by its price, wherever that stands.
 *
 * A record must be of a request that was acknowledged with its seq, or of one that is in doubt, because
 * its conversation broke and it may have got no answer: those behind the last answer, and all from a
 * broken framing on. Some of the latter were refused, and a record of theirs would not be found; they
 * are counted. When the service ended a conversation with its last answer, every request that was
 * served has its own, however it was framed, and none is in doubt.
 *
 * Few mutations give a request a price that is not its own. As many records of a price are let pass as
 * requests in doubt have asked for it.
 */
export class Attribution {
  readonly #promised = new Map<number, Promised>();
  readonly #inDoubt = new Map<string, number>();
  readonly #repeated: string[] = [];
  readonly #counts = { answered: 0, unordered: 0, broken: 0, unanswered: 0, untold: 0, kept: 0 };

  /** Takes in requests, all that were sent on one connection, and what came of them. */
  take(requests: readonly string[], { answers, isComplete }: Conversation): void {
    const finals = answers.filter(({ status }) => status >= 200);
    const ordered = leadingOf(requests, isWellFramed);
    const behind = requests.slice(ordered);
    this.#counts.answered += finals.length;
    this.#counts.unordered += Math.max(0, finals.length - ordered);
    if (!isComplete) this.#doubt(requests, Math.min(ordered, finals.length), finals.length);
    for (const [index, { status, head }] of finals.entries()) {
      if (status !== 202) continue;
      const isOrdered = index < ordered;
      const text = isOrdered ? (requests[index] ?? '') : behind.join('');
      this.#promise(fieldsIn(head), pricesIn(text), !isOrdered && !isComplete);
    }
  }

  /** Takes in an acknowledged write of somebody else. */
  takeWrite(price: string, headers: IncomingHttpHeaders): void {
    this.#promise((name) => String(headers[name]), new Set([price]), false);
  }

  /** Compares all that was taken in with all records that there are. */
  compare(records: readonly StoredRecord[]): Attributed {
    const bySeq = new Map(records.map((record) => [record.seq, record]));
    const lost = [...this.#promised].flatMap(([seq, promised]) =>
      isKept(promised, bySeq.get(seq)) ? [] : [lostOf(seq, promised, bySeq.get(seq))],
    );
    for (const { seq, newPrice } of records) {
      if (this.#promised.get(seq)?.isInDoubt === true) this.#takeFromDoubt(newPrice);
    }
    const unpromised = records.filter(({ seq }) => !this.#promised.has(seq));
    const phantoms = unpromised.filter(({ newPrice }) => !this.#takeFromDoubt(newPrice));
    this.#counts.kept = unpromised.length - phantoms.length;
    const acknowledged = this.#promised.size;
    return { acknowledged, lost: [...lost, ...this.#repeated], phantoms };
  }

  /** Figures for the reader: what could not be attributed. */
  summary(): string {
    const { answered, unordered, broken, unanswered, untold, kept } = this.#counts;
    return (
      `of ${answered} answers ${unordered} came behind a broken framing; ${broken} connections broke, ` +
      `with ${unanswered} requests that got no answer and ${untold} that may have got one, ` +
      `which left ${kept} records`
    );
  }

  /** Requests from `start` on may have got no answer, though `answers` in all were given. */
  #doubt(requests: readonly string[], start: number, answers: number): void {
    this.#counts.broken += 1;
    this.#counts.unanswered += Math.max(0, requests.length - answers);
    this.#counts.untold += Math.min(answers, requests.length) - start;
    for (const price of requests.slice(start).flatMap((request) => [...pricesIn(request)])) {
      this.#inDoubt.set(price, (this.#inDoubt.get(price) ?? 0) + 1);
    }
  }

  #takeFromDoubt(price: string): boolean {
    const count = this.#inDoubt.get(price) ?? 0;
    if (count > 0) this.#inDoubt.set(price, count - 1);
    return count > 0;
  }

  #promise(field: (name: string) => string, prices: ReadonlySet<string>, isInDoubt: boolean): void {
    const seq = Number(field('repricer-seq'));
    if (this.#promised.has(seq)) this.#repeated.push(`seq ${seq} was acknowledged twice`);
    const [version, location] = [field('etag'), field('location')];
    this.#promised.set(seq, { version, location, prices, isInDoubt });
  }
}

function isKept(
  { version, location, prices }: Promised,
  record: StoredRecord | undefined,
): boolean {
  return (
    record !== undefined &&
    version === `"${record.version}"` &&
    location.replace(/^\/api\/v1\//, '/api/') ===
      `/api/product/${encodeURIComponent(record.productId)}/price` &&
    prices.has(record.newPrice)
  );
}

function lostOf(seq: number, promised: Promised, record: StoredRecord | undefined): string {
  const { version, location, prices } = promised;
  return (
    `lost: seq ${seq}, version ${version} of ${location} with price ${[...prices].join(' or ')}; ` +
    `in the journal: ${record?.line ?? 'nothing'}`
  );
}

/** How many of the first are all as they should be. */
export function leadingOf<T>(items: readonly T[], isGood: (item: T) => boolean): number {
  const first = items.findIndex((item) => !isGood(item));
  return first === -1 ? items.length : first;
}

/** The fields of an answer's head by name; an empty text for one that is not there. */
function fieldsIn(head: string): (name: string) => string {
  return (name) => new RegExp(`\\r\\n${name}: (.*)\\r\\n`, 'i').exec(head)?.[1] ?? '';
}
