import { join } from 'node:path';
import { BenchProcess } from '../processes/bench-process.ts';
import { presentSize, type StoreSize } from './store-size.ts';

/** A data directory that a service was never on, or has stopped cleanly on. */
export interface MadeStore {
  readonly directory: string;
  readonly size: StoreSize;
  /** `10,000 records of 1,000 products`. */
  readonly name: string;
}

/** A record takes some ten microseconds, and a product file some hundred; a busy machine much more. */
const msPerRecord = 1;

/** Makes a store of each size, one after the other. Rejects when `stop` aborts. */
export async function makeStores(
  directory: string,
  sizes: readonly StoreSize[],
  stop: AbortSignal,
): Promise<readonly MadeStore[]> {
  const maker = BenchProcess.start('the store maker', new URL('./store-maker.js', import.meta.url));
  try {
    const stores: MadeStore[] = [];
    for (const [index, size] of sizes.entries()) {
      const name = presentSize(size);
      process.stderr.write(`making a store of ${name}\n`);
      const store = { directory: join(directory, `store-${index}`), size, name };
      maker.send({ directory: store.directory, size });
      const waitMs = 60_000 + size.records * msPerRecord;
      const reply = await maker.whileRunning(maker.message(stop, waitMs));
      if ((reply as object as { problem?: string }).problem !== undefined) {
        throw new Error(`the store could not be made: ${JSON.stringify(reply)}`);
      }
      stores.push(store);
    }
    return stores;
  } finally {
    await maker.kill();
  }
}
