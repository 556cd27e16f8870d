import type { Readable } from 'node:stream';
import { RepricerError } from '../../errors.ts';
import type { PriceLedger } from '../../ledger/price-ledger.ts';
import type { PriceRecord } from '../../model/price-record.ts';
import type { Log } from '../../ops/log.ts';
import { EventBlocks } from './event-blocks.ts';
import { PacedWork } from './paced-work.ts';
import type { EndReason } from './present-event.ts';
import {
  type Connection,
  Subscriber,
  type SubscriberLimits,
  type Subscription,
} from './subscriber.ts';

export interface FeedOptions extends SubscriberLimits {
  /** The next subscriber is refused with `TOO_MANY_STREAMS`. */
  readonly streamSubscribersMax: number;
}

/** Writes come one after the other when two batches were committed in so long. */
const writingMs = 100;

/**
 * Subscribers that a slice serves at most. Node writes to their sockets after the slice, when its clock
 * is not looked at any more: 50 KiB take some 50 µs.
 */
const servedPerSlice = 32;

/** What the feed needs of the ledger. */
export type FollowedLedger = Pick<PriceLedger, 'lastSeq' | 'queueLength' | 'onCommit' | 'query'>;

/**
 * The feed of all durable records, to many subscribers at their own pace.
 *
 * Invariant: each subscriber is sent every record after its place in the journal that it asked for, once
 * and in the order of seq, and only records that are on disk.
 *
 * One pump serves all of them in turn, and rests while writes wait. Events are encoded once, in blocks
 * that all share. Nothing queues up for a subscriber: what it was not sent yet is in the journal. One
 * that does not take a chunk in `streamStallMs` is dropped, and resumes where it was.
 */
export class PriceFeed {
  readonly #ledger: FollowedLedger;
  readonly #options: FeedOptions;
  readonly #log: Pick<Log, 'warn'>;
  readonly #blocks: EventBlocks;
  readonly #pump: PacedWork;
  readonly #unfollow: () => void;
  readonly #subscribers = new Set<Subscriber>();
  /** Those who can be sent something, in the order of their turns. */
  #ready = new Set<Subscriber>();
  /** Those who want more than there was when the last record was `#idleSeq`. */
  #idle = new Set<Subscriber>();
  #idleSeq: number;
  #lastSeq: number;
  /** When the last two batches were committed. */
  #commitsMs: readonly [number, number] = [-Infinity, -Infinity];
  #events = 0;
  #dropped = 0;
  #isClosed = false;

  constructor(ledger: FollowedLedger, options: FeedOptions, log: Pick<Log, 'warn'>) {
    this.#ledger = ledger;
    this.#options = options;
    this.#log = log;
    this.#blocks = new EventBlocks(ledger, () => this.#isWriting());
    this.#pump = new PacedWork({
      slice: (isOver) => this.#serve(isOver),
      mustRest: () => this.#isWriting(),
    });
    this.#lastSeq = ledger.lastSeq;
    this.#idleSeq = ledger.lastSeq;
    this.#unfollow = ledger.onCommit((records) => this.#follow(records));
  }

  /** The seq of the last record that is on disk. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** Price events sent since the start. */
  get events(): number {
    return this.#events;
  }

  /** Subscribers dropped since the start, because they did not read. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * The stream of events of a new subscriber; destroying it is how the subscriber leaves.
   * `TOO_MANY_STREAMS`, `DRAINING`.
   */
  subscribe(subscription: Subscription, connection: Connection): Readable {
    if (this.#isClosed) throw new RepricerError('DRAINING', 'the service is stopping');
    const { streamSubscribersMax } = this.#options;
    if (this.#subscribers.size >= streamSubscribersMax) {
      throw new RepricerError('TOO_MANY_STREAMS', `${streamSubscribersMax} streams are open`);
    }
    const events = {
      wants: (subscriber: Subscriber) => this.#takeUp(subscriber),
      stalled: (subscriber: Subscriber) => this.#drop(subscriber),
      left: (subscriber: Subscriber) => this.#forget(subscriber),
    };
    const subscriber = new Subscriber(subscription, this.#options, events, connection);
    this.#subscribers.add(subscriber);
    return subscriber.body;
  }

  /** Ends the streams of those who may not read them any more. */
  endForbidden(): void {
    for (const subscriber of this.#subscribers) {
      if (!subscriber.mayRead) this.#end(subscriber, 'forbidden');
    }
  }

  /** Ends every stream at once, and reads no more of the ledger. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unfollow();
    for (const subscriber of this.#subscribers) this.#end(subscriber, 'stopping');
    await this.#blocks.close();
  }

  #follow(records: readonly PriceRecord[]): void {
    this.#lastSeq = records.at(-1)?.seq ?? this.#lastSeq;
    this.#commitsMs = [this.#commitsMs[1], performance.now()];
    if (this.#subscribers.size > 0) this.#blocks.add(records);
    else this.#blocks.leaveOut();
    if (this.#idle.size > 0) this.#pump.wake();
  }

  /** Between two batches no write waits, though the next ones are on their way. */
  #isWriting(): boolean {
    return this.#ledger.queueLength > 0 || performance.now() - this.#commitsMs[0] < writingMs;
  }

  #takeUp(subscriber: Subscriber): void {
    if (!subscriber.isWanting || !this.#subscribers.has(subscriber)) return;
    if (subscriber.next > this.#lastSeq && !subscriber.isHeartbeatDue) {
      this.#idle.add(subscriber);
      return;
    }
    this.#idle.delete(subscriber);
    this.#ready.add(subscriber);
    this.#pump.wake();
  }

  #serve(isOver: () => boolean): boolean {
    let served = 0;
    do {
      for (const subscriber of this.#ready) {
        this.#ready.delete(subscriber);
        this.#serveOne(subscriber);
        served += 1;
        if (served === servedPerSlice || isOver()) return true;
      }
    } while (this.#turnToIdle());
    return false;
  }

  /** Makes those ready who had everything, if records have come since. */
  #turnToIdle(): boolean {
    if (this.#idleSeq === this.#lastSeq) return false;
    this.#idleSeq = this.#lastSeq;
    [this.#ready, this.#idle] = [this.#idle, this.#ready];
    return this.#ready.size > 0;
  }

  #serveOne(subscriber: Subscriber): void {
    const sent = this.#sendEvents(subscriber);
    if (sent !== undefined && sent > 0) return;
    if (subscriber.isHeartbeatDue) subscriber.sendHeartbeat();
    else if (subscriber.next > this.#lastSeq) this.#idle.add(subscriber);
    else if (sent === 0) this.#ready.add(subscriber);
  }

  /** How many of its events were sent; undefined when first they have to come or be read. */
  #sendEvents(subscriber: Subscriber): number | undefined {
    if (subscriber.next > this.#lastSeq) return undefined;
    const block = subscriber.block ?? this.#blocks.at(subscriber.next);
    subscriber.block = undefined;
    if (block === undefined) {
      void this.#readFor(subscriber);
      return undefined;
    }
    const sent = subscriber.send(block);
    this.#events += sent;
    return sent;
  }

  async #readFor(subscriber: Subscriber): Promise<void> {
    try {
      const block = await this.#blocks.read(subscriber.next);
      if (block.lastSeq >= subscriber.next) subscriber.block = block;
      this.#takeUp(subscriber);
    } catch (error) {
      if (!this.#subscribers.has(subscriber)) return;
      this.#log.warn('a stream was ended because the journal could not be read', { error });
      this.#end(subscriber, 'unreadable');
    }
  }

  #drop(subscriber: Subscriber): void {
    this.#dropped += 1;
    this.#end(subscriber, 'stalled');
  }

  #end(subscriber: Subscriber, reason: EndReason): void {
    this.#forget(subscriber);
    subscriber.end(reason);
  }

  #forget(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    this.#ready.delete(subscriber);
    this.#idle.delete(subscriber);
  }
}
