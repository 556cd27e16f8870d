import { type OpenLedger, openLedger } from '../../support/ledger.ts';
import { productId, TestClock } from '../../support/records.ts';
import { RecordedEvents } from '../../support/store.ts';
import type { Operation, WriteOutcome } from '../operation.ts';
import type { Effect } from './effect.ts';
import { MemoryFiles } from './memory-files.ts';
import { Tree } from './tree.ts';

export const dataDirectory = '/data';

/** A write that a client asked for, with the number of effects before it was asked for and before it was told. */
interface Asked {
  readonly productId: string;
  readonly price: string;
  readonly sentAt: number;
  doneAt: number | undefined;
  outcome: WriteOutcome;
}

/** What was done to a store in memory, and what its clients were told. */
export class History {
  readonly files: MemoryFiles;
  readonly #asked: Asked[];
  readonly #events = new RecordedEvents();
  #open: OpenLedger | undefined;
  #prices: number;

  constructor(files = new MemoryFiles(), asked: readonly Asked[] = [], prices = 1) {
    this.files = files;
    this.#asked = asked.map((write) => ({ ...write }));
    this.#prices = prices;
  }

  get effects(): readonly Effect[] {
    return this.files.effects;
  }

  /** The same machine after its process was killed when it had made so many effects: nothing of them is lost yet. */
  killedAfter(count: number): History {
    const effects = this.effects.slice(0, count);
    const tree = new Tree();
    effects.forEach((effect, index) => {
      tree.apply(effect, BigInt(index + 1));
    });
    return new History(new MemoryFiles(tree, effects), this.#askedBefore(count), this.#prices);
  }

  /** A service on what a crash left, with a clock that begins again. */
  async start(segmentBytesMax = 700): Promise<void> {
    this.#open = await openLedger(dataDirectory, {
      files: this.files,
      clock: new TestClock(),
      events: this.#events,
      lastPricesMax: 2,
      options: { segmentBytesMax, checkpointIntervalMs: 1 },
    });
  }

  /** Group commit: all are asked for at once. Resolves when all were answered. */
  async write(...products: readonly string[]): Promise<void> {
    await Promise.all(products.map((product) => this.#writeOne(product)));
  }

  /** Resolves when product files have caught up and the checkpoint says so. */
  async checkpointed(): Promise<void> {
    const seq = this.#ledger.ledger.lastSeq;
    while (!this.#events.of('checkpointed').some(([reached]) => reached === seq)) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async stop(): Promise<void> {
    await this.#ledger.ledger.close();
  }

  /** The operations as a client wrote them down who was cut off when so many effects had been made. */
  operationsBefore(count: number): readonly Operation[] {
    return this.#askedBefore(count).map(({ productId: id, price, sentAt, doneAt, outcome }) => ({
      op: 'write',
      productId: id,
      price,
      sent: `${sentAt}`,
      done: `${doneAt ?? sentAt}`,
      outcome,
    }));
  }

  get #ledger(): OpenLedger {
    if (this.#open === undefined) throw new Error('the service was not started');
    return this.#open;
  }

  #askedBefore(count: number): readonly Asked[] {
    return this.#asked
      .filter(({ sentAt }) => sentAt <= count)
      .map((write) => {
        const isTold = write.doneAt !== undefined && write.doneAt <= count;
        return isTold ? write : { ...write, doneAt: undefined, outcome: { kind: 'unknown' } };
      });
  }

  async #writeOne(product: string): Promise<void> {
    const price = `${this.#prices}.5`;
    this.#prices += 1;
    const asked: Asked = {
      productId: product,
      price,
      sentAt: this.effects.length,
      doneAt: undefined,
      outcome: { kind: 'unknown' },
    };
    this.#asked.push(asked);
    try {
      const { record } = await this.#ledger.set(productId(product), price);
      asked.outcome = { kind: 'acknowledged', seq: record.seq, version: record.version };
    } catch {
      // A failed storage promises nothing.
      asked.outcome = { kind: 'unknown' };
    }
    asked.doneAt = this.effects.length;
  }
}
