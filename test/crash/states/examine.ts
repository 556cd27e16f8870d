import { hasCode } from '../../../src/errors.ts';
import type { PriceLedger } from '../../../src/ledger/price-ledger.ts';
import { openLedger } from '../../support/ledger.ts';
import { productId } from '../../support/records.ts';
import { openStorage } from '../../support/store.ts';
import { differingPaths, toStore } from '../checker/stored-files.ts';
import type { Checker } from '../checker.ts';
import type { Evidence } from '../fault.ts';
import type { Operation } from '../operation.ts';
import { dataDirectory } from './history.ts';
import { MemoryFiles } from './memory-files.ts';
import type { Tree } from './tree.ts';

/**
 * Starts the real storage on a state, twice, and the second start must change nothing (I8); then a
 * ledger on it must know every product's last price, take a few more, and leave a store in which
 * everything holds that was ever acknowledged.
 *
 * With `mayBeRebuilt` it is the first start whose ledger is asked, as only that one knows which product
 * files were written by someone else since the crash.
 */
export async function examine(
  checker: Checker,
  state: Tree,
  operations: readonly Operation[],
  { mayBeRebuilt = false } = {},
): Promise<Evidence> {
  const files = new MemoryFiles(state);
  const storage = await openStorage(dataDirectory, { files });
  const again = new MemoryFiles(files.tree);
  const recovered = files.tree.below(dataDirectory);
  await storage.close();
  const store = mayBeRebuilt ? new MemoryFiles(state) : again;
  const { ledger, set } = await openLedger(dataDirectory, { files: store });
  const changed = differingPaths(recovered, store.tree.below(dataDirectory)).map(
    (path) => `${path}: the second recovery changed it`,
  );

  const more: Operation[] = [];
  const products = [...new Set(operations.map((operation) => operation.productId)), 'new'];
  for (const product of products) {
    if (mayBeRebuilt) await readUntilRebuilt(ledger, product);
    const last = await ledger.currentPrice(productId(product)).catch(unknownIsNone);
    more.push(readOf(product, last?.version ?? 0, last?.newPrice ?? null));
  }
  for (const product of products.slice(-2)) {
    const price = `9000.${products.indexOf(product)}`;
    const { record } = await set(product, price);
    more.push(writeOf(product, price, record.seq, record.version));
  }
  await ledger.close();

  const { lost, phantom, violations } = await checker.check({
    store: toStore(store.tree.below(dataDirectory)),
    state: 'stopped',
    operations: [...operations, ...more],
  });
  return { lost, phantom, violations: [...changed, ...violations] };
}

const readsMax = 1000;

/** Reads all of a product until no line of its file is met that has to be made anew. */
async function readUntilRebuilt(ledger: PriceLedger, product: string): Promise<void> {
  const query = { productIds: [productId(product)], pageSize: 1000, pageNumber: 1 };
  for (let reads = 0; reads < readsMax; reads += 1) {
    try {
      await ledger.query({ ...query, order: 'asc' });
      return;
    } catch (error) {
      if (!hasCode(error, 'PRODUCT_FILE_DAMAGED')) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  throw new Error(`the file of ${product} was not made anew`);
}

function unknownIsNone(error: unknown): undefined {
  if (hasCode(error, 'UNKNOWN_PRODUCT')) return;
  throw error;
}

/** What comes after the crash came after everything before it. */
const afterCrash = 1_000_000_000;

function readOf(product: string, version: number, price: string | null): Operation {
  const at = `${afterCrash}`;
  return { op: 'read', productId: product, version, price, sent: at, done: at };
}

function writeOf(product: string, price: string, seq: number, version: number): Operation {
  const outcome = { kind: 'acknowledged', seq, version } as const;
  const [sent, done] = [`${afterCrash + seq}`, `${afterCrash + seq}`];
  return { op: 'write', productId: product, price, sent, done, outcome };
}
