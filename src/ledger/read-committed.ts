import type { PriceRecord } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';
import type { Receipt } from './receipt.ts';
import type { Head, Reprice } from './reprice.ts';

/** Where what is committed is found. */
export interface CommittedSources {
  lastRecordInMemory(productId: ProductId): PriceRecord | undefined;
  lastRecord(productId: ProductId): Promise<PriceRecord | undefined>;
  /** What was recorded under a key, if that is still known. */
  receiptOf(idempotencyKey: string): Promise<Receipt | undefined>;
}

/** All that a batch of reprices builds on. */
export interface CommittedState {
  /** The product's last price. Throws what reading it failed with, so that it fails alone. */
  headOf(productId: ProductId): Head;
  /** Receipts of earlier records, by those idempotency keys of the reprices that have one. */
  readonly receipts: Pick<ReadonlyMap<string, Receipt>, 'get'>;
}

/** Reads all that the reprices build on, at once. */
export async function readCommitted(
  reprices: readonly Reprice[],
  sources: CommittedSources,
): Promise<CommittedState> {
  const productIds = new Set(reprices.map(({ update }) => update.productId));
  const keys = new Set(reprices.flatMap(({ update }) => update.idempotencyKey ?? []));
  const [records, receipts] = await Promise.all([
    readAll(
      productIds,
      (productId) => sources.lastRecord(productId),
      (productId) => sources.lastRecordInMemory(productId),
    ),
    readAll(keys, (key) => sources.receiptOf(key)),
  ]);
  return {
    headOf(productId) {
      const record = records.get(productId);
      return record === undefined
        ? { version: 0, price: null }
        : { version: record.version, price: record.newPrice };
    },
    receipts,
  };
}

/**
 * What was read, by what it was read for. `get` throws the error of a reading that failed. What `find` gives
 * needs no reading, which takes a microsecond even where it comes to the same.
 */
async function readAll<Key, Value>(
  keys: ReadonlySet<Key>,
  read: (key: Key) => Promise<Value | undefined>,
  find: (key: Key) => Value | undefined = () => undefined,
): Promise<{ get(key: Key): Value | undefined }> {
  const values = new Map<Key, Value>();
  const failures = new Map<Key, unknown>();
  const toRead: Key[] = [];
  for (const key of keys) {
    const value = find(key);
    if (value === undefined) toRead.push(key);
    else values.set(key, value);
  }
  await Promise.all(
    toRead.map(async (key) => {
      try {
        const value = await read(key);
        if (value !== undefined) values.set(key, value);
      } catch (error) {
        failures.set(key, error);
      }
    }),
  );
  return {
    get(key) {
      if (failures.has(key)) throw failures.get(key);
      return values.get(key);
    },
  };
}
