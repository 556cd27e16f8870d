import type { RepricerError } from '../../src/errors.ts';
import { PriceLedger } from '../../src/ledger/price-ledger.ts';
import type { Receipt } from '../../src/ledger/receipt.ts';
import type { PriceUpdate } from '../../src/model/price-record.ts';
import type { LedgerStorage } from '../../src/storage/ledger-storage.ts';
import { price, productId, TestClock } from './records.ts';
import { openStorage, type StorageParts } from './store.ts';

export interface LedgerParts extends StorageParts {
  readonly queueMax?: number;
  readonly lastPricesMax?: number;
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
  { queueMax = 50, lastPricesMax = 1000, ...parts }: LedgerParts = {},
): Promise<OpenLedger> {
  const clock = parts.clock ?? new TestClock();
  const storage = await openStorage(directory, { ...parts, clock });
  const failures: RepricerError[] = [];
  const limits = { queueMax, lastPricesMax };
  const ledger = new PriceLedger(storage, limits, clock.read, (error) => failures.push(error));
  const set = (product: string, newPrice: string) =>
    ledger.reprice(update(product, newPrice), { mustBeNew: false });
  return { ledger, storage, failures, set };
}

export function update(product: string, newPrice: string): PriceUpdate {
  return { productId: productId(product), newPrice: price(newPrice) };
}
