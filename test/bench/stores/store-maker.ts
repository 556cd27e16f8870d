import { makeStore } from './make-store.ts';
import type { StoreSize } from './store-size.ts';

/** Where, and how large. */
export interface StoreJob {
  readonly directory: string;
  readonly size: StoreSize;
}

/* Makes stores in a process of its own, as writing takes all of one; tells its parent of each that is done. */

process.on('message', ({ directory, size }: StoreJob) => {
  makeStore(directory, size).then(
    () => process.send?.({ made: true }),
    (error: unknown) => process.send?.({ problem: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
