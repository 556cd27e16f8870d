import test, { type ExecutionContext } from 'ava';
import type { PriceQuery } from '../../src/ledger/price-query.ts';
import type { Receipt } from '../../src/ledger/receipt.ts';
import type { PriceRecord } from '../../src/model/price-record.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { type OpenLedger, openLedger, receiptOf, update } from '../support/ledger.ts';
import { noon, productId, TestClock } from '../support/records.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { checkCleanStore, checkStore } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/*
 * The ledger against the simplest thing that could be right: a list of records in memory. What is
 * random comes from a seed, which is printed; `SEED=… npx ava …` runs the same again.
 */

const names = ['a', 'b', 'c/%', '__proto__', 'ü😀', 'rarely'];
const histories = 6;
const stepsEach = 120;

for (let number = 0; number < histories; number += 1) {
  test(`random operations with restarts and losses of power agree with the model (${number})`, async (t) => {
    const random = SeededRandom.forTest(t, number);
    const world = await World.create(t, random);

    for (let step = 0; step < stepsEach; step += 1) await world.step();

    await world.end();
  });
}

class World {
  readonly #t: ExecutionContext;
  readonly #random: SeededRandom;
  readonly #directory: string;
  readonly #clock = new TestClock();
  /** What was acknowledged, in order. */
  #model: PriceRecord[] = [];
  #files = new FaultyFiles();
  #open: OpenLedger;

  private constructor(
    t: ExecutionContext,
    random: SeededRandom,
    directory: string,
    open: OpenLedger,
  ) {
    this.#t = t;
    this.#random = random;
    this.#directory = directory;
    this.#open = open;
  }

  static async create(t: ExecutionContext, random: SeededRandom): Promise<World> {
    const directory = await temporaryDirectory(t);
    const world = new World(t, random, directory, await openLedger(directory));
    await world.#restart(() => world.#open.ledger.close());
    return world;
  }

  async step(): Promise<void> {
    const choice = this.#random.integer(100);
    if (choice < 55) await this.#write();
    else if (choice < 65) await this.#readPrice();
    else if (choice < 72) await this.#readPriceAt();
    else if (choice < 88) await this.#query();
    else if (choice < 92) this.#clock.advanceMs(this.#random.integer(3) * 1_800_000 - 1_800_000);
    else if (choice < 95) await this.#restart(() => this.#open.ledger.close());
    else await this.#losePower();
  }

  async end(): Promise<void> {
    await this.#open.ledger.close();
    const report = await checkCleanStore(this.#t, this.#directory);
    this.#t.is(report.records, this.#model.length);
  }

  async #write(): Promise<void> {
    const writes = Array.from({ length: 1 + this.#random.integer(6) }, () => this.#reprice());
    await this.#take(await Promise.allSettled(writes));
  }

  async #reprice(): Promise<Receipt> {
    const newPrice = `${1 + this.#random.integer(999)}.${this.#random.integer(1000)}`;
    const mustBeNew = this.#random.integer(10) === 0;
    const wanted = update(this.#random.pick(names), newPrice);
    return receiptOf(await this.#open.ledger.reprice(wanted, { mustBeNew }));
  }

  async #take(outcomes: readonly PromiseSettledResult<Receipt>[]): Promise<void> {
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') this.#accept(outcome.value.record);
      else this.#t.like(outcome.reason, { code: 'PRECONDITION_FAILED' });
    }
  }

  /** Checks a record against those before it, and takes it into the model. */
  #accept(record: PriceRecord): void {
    const before = this.#model.findLast(({ productId: id }) => id === record.productId);
    this.#t.is(record.seq, this.#model.length + 1);
    this.#t.is(record.version, (before?.version ?? 0) + 1);
    this.#t.is(record.previousPrice, before?.newPrice ?? null);
    this.#t.true(record.timestamp > (this.#model.at(-1)?.timestamp ?? 0));
    this.#model.push(record);
  }

  async #readPrice(): Promise<void> {
    const id = productId(this.#random.pick(names));
    const expected = this.#model.findLast((record) => record.productId === id);
    const read = this.#open.ledger.currentPrice(id);

    if (expected === undefined) await this.#t.throwsAsync(read, { code: 'UNKNOWN_PRODUCT' });
    else this.#t.deepEqual(await read, expected);
  }

  async #readPriceAt(): Promise<void> {
    const id = productId(this.#random.pick(names));
    const at = this.#randomTime() ?? noon;
    const own = this.#model.filter((record) => record.productId === id);
    const expected = own.findLast(({ timestamp }) => timestamp <= at);
    const read = this.#open.ledger.priceAt(id, at);

    if (expected === undefined) {
      const code = own.length === 0 ? 'UNKNOWN_PRODUCT' : 'NO_PRICE_YET';
      await this.#t.throwsAsync(read, { code });
    } else {
      const validTo = own[expected.version]?.timestamp ?? null;
      this.#t.deepEqual(await read, { record: expected, validTo });
    }
  }

  async #query(): Promise<void> {
    const query = this.#randomQuery();

    this.#t.deepEqual(
      (await this.#open.ledger.query(query)).records,
      answerOf(this.#model, query),
      JSON.stringify(query),
    );
  }

  #randomQuery(): PriceQuery {
    const wanted = names.filter(() => this.#random.integer(3) === 0).map(productId);
    const [from, to] = [this.#randomTime(), this.#randomTime()];
    return {
      productIds: wanted,
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      order: this.#random.pick(['asc', 'desc'] as const),
      pageSize: 1 + this.#random.integer(20),
      pageNumber: 1 + this.#random.integer(4),
    };
  }

  #randomTime() {
    const hasNone = this.#model.length === 0 || this.#random.integer(2) === 0;
    return hasNone ? undefined : this.#random.pick(this.#model).timestamp;
  }

  /** Ends the machine in the middle of some writes. What had no receipt may be there or not, as a whole. */
  async #losePower(): Promise<void> {
    const writes = Array.from({ length: 1 + this.#random.integer(4) }, () => this.#reprice());
    for (let turns = this.#random.integer(30); turns > 0; turns -= 1) await nextTurn();
    await this.#restart(async () => {
      await this.#files.losePower();
      await Promise.allSettled([this.#open.ledger.close()]);
    });
    const receipts = (await Promise.allSettled(writes)).flatMap((outcome) =>
      outcome.status === 'fulfilled' ? [outcome.value.record] : [],
    );
    const all = { productIds: [], order: 'asc', pageSize: 1e6, pageNumber: 1 } as const;
    const { records: kept } = await this.#open.ledger.query(all);
    for (const record of kept.slice(this.#model.length)) this.#accept(record);
    this.#t.deepEqual(kept, this.#model, 'what was acknowledged is there');
    for (const record of receipts) this.#t.deepEqual(this.#model[record.seq - 1], record);
  }

  async #restart(stop: () => Promise<void>): Promise<void> {
    await stop();
    await checkStore(this.#t, this.#directory);
    this.#files = new FaultyFiles();
    this.#open = await openLedger(this.#directory, {
      files: this.#files,
      clock: this.#clock,
      lastPricesMax: 1 + this.#random.integer(4),
      options: {
        segmentBytesMax: this.#random.pick([500, 2000, 100_000]),
        checkpointIntervalMs: this.#random.pick([1, 3_600_000]),
        flushIntervalMs: this.#random.pick([1, 20]),
      },
    });
  }
}

/** What a query has to answer, found by looking at everything. */
function answerOf(model: readonly PriceRecord[], query: PriceQuery): readonly PriceRecord[] {
  const { productIds, from = 0, to = Number.POSITIVE_INFINITY, pageSize, pageNumber } = query;
  const matching = model.filter(
    ({ productId: id, timestamp }) =>
      (productIds.length === 0 || productIds.includes(id)) && timestamp >= from && timestamp <= to,
  );
  const ordered = query.order === 'asc' ? matching : matching.toReversed();
  return ordered.slice((pageNumber - 1) * pageSize, pageNumber * pageSize);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
