import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { makeStore } from './make-store.ts';
import type { StoreSize } from './store-size.ts';

/** Where, and how large. */
export interface StoreJob {
  readonly directory: string;
  readonly size: StoreSize;
}

/*
 * Makes stores in a process of its own, as writing takes all of one; tells its parent of each that is
 * done, and on disk: pages that are still on their way there would disturb what is measured next.
 */

process.on('message', ({ directory, size }: StoreJob) => {
  makeSynced(directory, size).then(
    () => process.send?.({ made: true }),
    (error: unknown) => process.send?.({ problem: String(error) }),
  );
});
process.on('disconnect', () => process.exit());

async function makeSynced(directory: string, size: StoreSize): Promise<void> {
  await makeStore(directory, size);
  await promisify(execFile)('sync', ['--file-system', directory]);
}
