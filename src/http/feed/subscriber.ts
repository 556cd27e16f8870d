import { Readable } from 'node:stream';
import type { ProductId } from '../../model/product-id.ts';
import type { EventBlock, Events } from './event-block.ts';
import { type EndReason, presentEnd, presentHeartbeat, presentOpening } from './present-event.ts';

/**
 * How long a client may take to take in the end of its stream; one that is dropped because it did not read
 * may be about to, and has as long as the server lets a connection rest on which nothing moves.
 */
const endGraceMs = { stopping: 1000, unreadable: 1000, forbidden: 1000, stalled: 5000 } as const;

export interface SubscriberLimits {
  /** After so long without an event a heartbeat is due. */
  readonly streamHeartbeatMs: number;
  /** How long one chunk may wait to be taken. */
  readonly streamStallMs: number;
}

/** What a subscriber tells the feed. */
export interface SubscriberEvents {
  /** It can be sent a chunk, or wants a heartbeat instead. */
  readonly wants: (subscriber: Subscriber) => void;
  /** It did not take a chunk in time. */
  readonly stalled: (subscriber: Subscriber) => void;
  /** Its connection is gone, or its stream was sent to the end. */
  readonly left: (subscriber: Subscriber) => void;
}

/** The connection of a client. */
export interface Connection {
  /** Breaks it, for a client that does not take in the end of its stream. */
  readonly cut: () => void;
  /** Whether the client may read by now what it asked for. */
  readonly mayRead: () => boolean;
}

/** What a client asks for. */
export interface Subscription {
  /** The seq after which its records begin. */
  readonly after: number;
  /** The products whose records it wants; those of all when empty. */
  readonly productIds: readonly ProductId[];
}

/**
 * A client of the feed, and its place in the journal.
 *
 * Invariant: of its records those before `next` were sent, each once and in order, and none from there on.
 * Invariant: at most one chunk waits for its socket; it is sent the next when it wants one.
 */
export class Subscriber {
  readonly productIds: ReadonlySet<ProductId>;
  /** The body of its answer. */
  readonly body: Readable;
  readonly #connection: Connection;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #stall: NodeJS.Timeout;
  /** The seq of the first record that was not looked at for it. */
  next: number;
  /** A block with the record `next` that was read for it. */
  block: EventBlock | undefined;
  isHeartbeatDue = false;
  /** Whether it took all that it was sent. */
  isWanting = false;

  constructor(
    { after, productIds }: Subscription,
    limits: SubscriberLimits,
    events: SubscriberEvents,
    connection: Connection,
  ) {
    this.next = after + 1;
    this.productIds = new Set(productIds);
    this.#connection = connection;
    this.body = new Readable({
      // Nothing waits here: a chunk goes on to the socket, and only when that wants more comes the next.
      highWaterMark: 0,
      read: () => {
        this.isWanting = true;
        events.wants(this);
      },
      destroy: (error, callback) => {
        this.#clearTimers();
        events.left(this);
        callback(error);
      },
    });
    this.#heartbeat = setTimeout(() => {
      this.isHeartbeatDue = true;
      if (this.isWanting) events.wants(this);
    }, limits.streamHeartbeatMs);
    this.#stall = setTimeout(() => {
      if (!this.isWanting) events.stalled(this);
    }, limits.streamStallMs);
    this.#push(presentOpening(after));
  }

  get mayRead(): boolean {
    return this.#connection.mayRead();
  }

  /** Sends those of its events that stand in the block, if there are; how many they were. */
  send(block: EventBlock): number {
    const { bytes, count }: Events = block.from(this.next, this.productIds);
    this.next = block.lastSeq + 1;
    if (count > 0) this.#push(bytes);
    return count;
  }

  sendHeartbeat(): void {
    this.#push(presentHeartbeat(this.next - 1));
  }

  /** Ends the stream with an event that says why, and the connection soon, whether or not it was taken in. */
  end(reason: EndReason): void {
    this.body.push(presentEnd(this.next - 1, reason));
    this.body.push(null);
    this.#clearTimers();
    setTimeout(this.#connection.cut, endGraceMs[reason]).unref();
  }

  #push(chunk: Buffer | string): void {
    this.isWanting = false;
    this.isHeartbeatDue = false;
    this.#heartbeat.refresh();
    this.#stall.refresh();
    this.body.push(chunk);
  }

  #clearTimers(): void {
    clearTimeout(this.#heartbeat);
    clearTimeout(this.#stall);
  }
}
