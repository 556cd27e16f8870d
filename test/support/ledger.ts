import type { RepricerError } from '../../src/errors.ts';
import type { IdempotencyLimits } from '../../src/ledger/idempotency-keys.ts';
import { PriceLedger } from '../../src/ledger/price-ledger.ts';
import type { Receipt } from '../../src/ledger/receipt.ts';
import type { RepriceResult } from '../../src/ledger/reprice.ts';
import type { PriceUpdate } from '../../src/model/price-record.ts';
import type { LedgerStorage } from '../../src/storage/ledger-storage.ts';
import { price, productId, TestClock } from './records.ts';
import { openStorage, type StorageParts } from './store.ts';

export interface LedgerParts extends StorageParts {
  readonly queueMax?: number;
  readonly lastPricesMax?: number;
  readonly batchRecordsMax?: number;
  readonly keys?: Partial<IdempotencyLimits>;
}

/** A ledger on files, with what it reports when its storage fails. */
export interface OpenLedger {
  readonly ledger: PriceLedger;
  readonly storage: LedgerStorage;
  readonly failures: readonly RepricerError[];
  /** Reprices without preconditions. */
  readonly set: (product: string, newPrice: string) => Promise<Receipt>;
}

export async function openLedger(
  directory: string,
  {
    queueMax = 50,
    lastPricesMax = 1000,
    batchRecordsMax = 10_000,
    keys = {},
    ...parts
  }: LedgerParts = {},
): Promise<OpenLedger> {
  const clock = parts.clock ?? new TestClock();
  const storage = await openStorage(directory, { ...parts, clock });
  const failures: RepricerError[] = [];
  const limits = { ...testLimits, queueMax, lastPricesMax, batchRecordsMax, ...keys };
  const ledger = await PriceLedger.open(storage, limits, clock.read, (error) =>
    failures.push(error),
  );
  const set = async (product: string, newPrice: string) =>
    receiptOf(await ledger.reprice(update(product, newPrice)));
  return { ledger, storage, failures, set };
}

/** Large bounds, so that only what a test sets gets in its way. */
export const testLimits = {
  queueMax: 50,
  batchRecordsMax: 10_000,
  lastPricesMax: 1000,
  idempotencyKeysMax: 1000,
  idempotencyWindowMs: 86_400_000,
};

export function receiptOf(result: RepriceResult): Receipt {
  if (result.kind !== 'recorded') throw new Error(`nothing was recorded: ${result.kind}`);
  return result.receipt;
}

export function update(product: string, newPrice: string): PriceUpdate {
  return { productId: productId(product), newPrice: price(newPrice) };
}
