import type { PriceRecord } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';
import type { LedgerStorage } from '../storage/ledger-storage.ts';
import type { RecordSequence } from '../storage/record-sequence.ts';
import { indexAfter } from './index-after.ts';
import type { Beside, PriceFilter, PricePage, PriceQuery } from './price-query.ts';
import { type RecordRange, readRange } from './record-range.ts';
import { UnionRecords } from './union-records.ts';

/** How many records of a scan are in memory at a time. */
const blockRecordsDefault = 1000;

/**
 * Pages and scans of the records that are on disk.
 *
 * Invariant: the pages that follow one another, and the blocks of a scan, hold each record of their
 * range once, whatever is written meanwhile: each begins at the seq at which the one before it ended.
 *
 * What is read is kept for no longer than one page or block.
 */
export class PriceQueries {
  readonly #storage: LedgerStorage;
  readonly #lastSeq: () => number;
  readonly #blockRecords: number;

  /** `lastSeq` is the last record that every read sees: a storage counts a batch before all of its reads do. */
  constructor(storage: LedgerStorage, lastSeq: () => number, blockRecords = blockRecordsDefault) {
    this.#storage = storage;
    this.#lastSeq = lastSeq;
    this.#blockRecords = blockRecords;
  }

  /** One page of the records in a range. */
  async page(query: PriceQuery): Promise<PricePage> {
    if (query.beside !== undefined) return this.#pageBeside(query, query.beside);
    if (query.pageNumber > 1) return this.#numberedPage(query);
    const found = await this.#read(query, 1, this.#lastSeq() + 1, query.pageSize + 1);
    const records = found.slice(0, query.pageSize);
    return { records, hasPrevious: false, hasNext: found.length > records.length };
  }

  /** All records that are in a range now, a block at a time, each read when it is asked for. */
  async *scan(filter: PriceFilter): AsyncGenerator<readonly PriceRecord[], void, void> {
    const { productIds, order, ...bounds } = filter;
    let range: RecordRange = { order, ...bounds, firstSeq: 1, endSeq: this.#lastSeq() + 1 };
    // What a product's view has in memory is not kept for a slow reader; the journal's has nothing there.
    const kept = productIds.length === 0 ? await this.#partsOf(productIds) : undefined;
    for (;;) {
      const parts = kept ?? (await this.#partsOf(productIds));
      const block = await readRange(parts, range, this.#blockRecords);
      const last = block.at(-1);
      if (last === undefined) return;
      yield block;
      if (block.length < this.#blockRecords) return;
      range = rangeBehind(range, last.seq);
    }
  }

  /** That there is a page on the other side of the record is known: it was told with the record. */
  async #pageBeside(query: PriceQuery, { side, seq }: Beside): Promise<PricePage> {
    const isNext = side === 'after';
    const order = isNext ? query.order : opposite(query.order);
    const [firstSeq, endSeq] = order === 'asc' ? [seq + 1, this.#lastSeq() + 1] : [1, seq];
    const found = await this.#read({ ...query, order }, firstSeq, endSeq, query.pageSize + 1);
    const records = found.slice(0, query.pageSize);
    const hasMore = found.length > records.length;
    return {
      records: isNext ? records : records.toReversed(),
      hasPrevious: isNext || hasMore,
      hasNext: !isNext || hasMore,
    };
  }

  /** A page far in costs a union about as many searches as its last seq has bits. */
  async #numberedPage(query: PriceQuery): Promise<PricePage> {
    const { from, to, order, pageSize, pageNumber } = query;
    const records = await this.#sequenceOf(query.productIds);
    const first = from === undefined ? 0 : await records.indexAt(from);
    const end = to === undefined ? records.length : await indexAfter(records, to);
    const skipped = (pageNumber - 1) * pageSize;
    const start = order === 'asc' ? first + skipped : Math.max(first, end - skipped - pageSize);
    const stop = order === 'asc' ? Math.min(end, start + pageSize) : end - skipped;
    if (start >= stop) return { records: [], hasPrevious: false, hasNext: false };
    const page = await records.slice(start, stop);
    return {
      records: order === 'asc' ? page : page.toReversed(),
      hasPrevious: true,
      hasNext: order === 'asc' ? stop < end : start > first,
    };
  }

  async #sequenceOf(productIds: readonly ProductId[]): Promise<RecordSequence> {
    const lastSeq = this.#lastSeq();
    const parts = await this.#partsOf(productIds);
    const [only] = parts;
    // The parts were taken one after the other; what was committed meanwhile is in none of them.
    return only !== undefined && parts.length === 1 ? only : UnionRecords.upTo(lastSeq, parts);
  }

  async #read(
    filter: PriceFilter,
    firstSeq: number,
    endSeq: number,
    countMax: number,
  ): Promise<readonly PriceRecord[]> {
    const parts = await this.#partsOf(filter.productIds);
    return readRange(parts, { ...filter, firstSeq, endSeq }, countMax);
  }

  /** The sequences that the records of these products stand in; of all products when empty. */
  async #partsOf(productIds: readonly ProductId[]): Promise<readonly RecordSequence[]> {
    if (productIds.length === 0) return [await this.#storage.allRecords()];
    const parts: RecordSequence[] = [];
    for (const productId of productIds) parts.push(await this.#storage.productRecords(productId));
    return parts;
  }
}

/** What of a range follows the record with this seq: where it begins needs no search by time any more. */
function rangeBehind({ from, to, ...rest }: RecordRange, seq: number): RecordRange {
  return rest.order === 'asc'
    ? { ...rest, ...(to !== undefined && { to }), firstSeq: seq + 1 }
    : { ...rest, ...(from !== undefined && { from }), endSeq: seq };
}

function opposite(order: 'asc' | 'desc'): 'asc' | 'desc' {
  return order === 'asc' ? 'desc' : 'asc';
}
