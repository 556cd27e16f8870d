import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import PQueue from 'p-queue';
import type { PriceLedger } from '../../ledger/price-ledger.ts';
import type { PriceRecord } from '../../model/price-record.ts';
import { EventBlock } from './event-block.ts';

/** Records in a block: some 50 KiB of events, which one write to a socket takes. */
const blockRecords = 256;

/** Room for the blocks that subscribers share, in bytes: some 20,000 events. */
const blocksBytesMax = 4 * 1024 * 1024;

/** Blocks that are read from the journal at a time; each holds a file open. */
const readersMax = 2;

/** How long a reader rests before it reads a block, which takes the event loop a few ms, while others are busy. */
const readerRestMs = 40;

/**
 * The journal as events, in blocks: block 0 has the records 1 to 256, and so on. Blocks that were
 * committed or used lately are in memory; all others are read when they are wanted, once for all who
 * want them.
 *
 * Limits: `blocksBytesMax` and the block that grows are all that is kept; `readersMax` blocks are read at
 * a time, and slowly while writes wait.
 */
export class EventBlocks {
  readonly #ledger: Pick<PriceLedger, 'query'>;
  readonly #mustRest: () => boolean;
  readonly #readers = createReaders();
  readonly #reading = new Map<number, Promise<EventBlock>>();
  readonly #recent = new LRUCache<number, EventBlock>({
    maxSize: blocksBytesMax,
    sizeCalculation: ({ size }) => size,
  });
  #growing: EventBlock | undefined;

  constructor(ledger: Pick<PriceLedger, 'query'>, mustRest: () => boolean) {
    this.#ledger = ledger;
    this.#mustRest = mustRest;
  }

  /** The block in memory that has this record. */
  at(seq: number): EventBlock | undefined {
    if (this.#growing !== undefined && seq >= this.#growing.firstSeq) return this.#growing;
    const block = this.#recent.get(numberOf(seq));
    // The first since the start may lack records at its front, and one that was the journal's last
    // when it was read lacks those that came after.
    const has = block !== undefined && block.firstSeq <= seq && seq <= block.lastSeq;
    return has ? block : undefined;
  }

  /** Reads the block with this record; it lacks what was committed since its reading began. Rejects as `query` does. */
  read(seq: number): Promise<EventBlock> {
    const number = numberOf(seq);
    const known = this.#reading.get(number);
    if (known !== undefined) return known;
    const reading = this.#readers
      .add(() => this.#read(number))
      .finally(() => this.#reading.delete(number));
    this.#reading.set(number, reading);
    return reading;
  }

  /** Takes in records that were committed; they follow those of the call before, or of `leaveOut`. */
  add(records: readonly PriceRecord[]): void {
    for (const record of records) this.#growingFor(record.seq).add(record);
  }

  /** Instead of `add`, while nobody wants them: they can be read. */
  leaveOut(): void {
    this.#growing = undefined;
  }

  /** Reads nothing more, and resolves when nothing is being read. */
  async close(): Promise<void> {
    this.#readers.clear();
    await this.#readers.onIdle();
  }

  #growingFor(seq: number): EventBlock {
    const growing = this.#growing;
    if (growing !== undefined) {
      const number = numberOf(growing.firstSeq);
      if (number === numberOf(seq)) return growing;
      this.#recent.set(number, growing);
    }
    this.#growing = new EventBlock(seq);
    return this.#growing;
  }

  async #read(number: number): Promise<EventBlock> {
    if (this.#mustRest()) await delay(readerRestMs);
    const { records } = await this.#ledger.query({
      productIds: [],
      order: 'asc',
      pageSize: blockRecords,
      pageNumber: number + 1,
    });
    const block = new EventBlock(firstSeqOf(number));
    for (const record of records) block.add(record);
    this.#recent.set(number, block);
    return block;
  }
}

function numberOf(seq: number): number {
  return Math.floor((seq - 1) / blockRecords);
}

function firstSeqOf(number: number): number {
  return number * blockRecords + 1;
}

/** Every option is given, so that no default of the library decides anything here. */
function createReaders(): PQueue {
  return new PQueue({
    concurrency: readersMax,
    autoStart: true,
    interval: 0,
    carryoverIntervalCount: false,
  });
}
