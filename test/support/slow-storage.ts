import type { PriceRecord, RecordPlace } from '../../src/model/price-record.ts';
import type { ProductId } from '../../src/model/product-id.ts';
import type { KeyedRecords } from '../../src/storage/keyed-records.ts';
import type { LedgerStorage, ScannedProducts } from '../../src/storage/ledger-storage.ts';
import type { RecordSequence } from '../../src/storage/record-sequence.ts';
import type { Snapshot } from '../../src/storage/snapshot.ts';

/** A storage in memory, of which one read at a time gives what it saw only when it is let go. */
export class SlowStorage implements LedgerStorage {
  readonly #records: PriceRecord[] = [];
  #hold: Promise<void> | undefined;
  readonly lastSeq = 0;
  readonly lastTimestamp = undefined;

  holdNextRead(): () => void {
    let release = () => {};
    this.#hold = new Promise((resolve) => {
      release = resolve;
    });
    return () => release();
  }

  async lastRecord(id: ProductId): Promise<PriceRecord | undefined> {
    const seen = this.#records.findLast((record) => record.productId === id);
    const hold = this.#hold;
    this.#hold = undefined;
    await hold;
    return seen;
  }

  async append(batch: readonly PriceRecord[]): Promise<readonly RecordPlace[]> {
    this.#records.push(...batch);
    return batch.map(() => ({ file: 'memory', offset: 0, length: 0 }));
  }

  async requireRoom(): Promise<void> {}

  async keyedRecords(): Promise<KeyedRecords> {
    return { records: [], leftOut: 0 };
  }

  async maintain(): Promise<void> {}
  async close(): Promise<void> {}

  seal(): Promise<void> {
    return Promise.reject(new Error('not asked for here'));
  }

  flush(): Promise<number> {
    return Promise.reject(new Error('not asked for here'));
  }

  snapshot(): Promise<Snapshot> {
    return Promise.reject(new Error('not asked for here'));
  }

  recordAt(): Promise<undefined> {
    return Promise.reject(new Error('not asked for here'));
  }

  lastRecordInMemory(): undefined {
    return undefined;
  }

  listProducts(): Promise<ScannedProducts> {
    return Promise.reject(new Error('not asked for here'));
  }

  productRecords(): Promise<RecordSequence> {
    return Promise.reject(new Error('not asked for here'));
  }

  allRecords(): Promise<RecordSequence> {
    return Promise.reject(new Error('not asked for here'));
  }
}
