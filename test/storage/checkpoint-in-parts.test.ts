import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { productFile } from '../../src/storage/product-file.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { productId, RecordSource } from '../support/records.ts';
import { checkCleanStore, checkStore, openStorage, RecordedEvents } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/* A checkpoint of so many product files that windows come in between. */

/** More than are synced together, which are 256. */
const many = Array.from({ length: 300 }, (_, index) => `p${index}`);

async function setup(t: ExecutionContext) {
  // Where the thread that keeps a process alive would be, there is only a pause between two runs.
  const awake = setInterval(() => {}, 1000);
  t.teardown(() => clearInterval(awake));
  const directory = await temporaryDirectory(t);
  const files = new FaultyFiles();
  const events = new RecordedEvents();
  // What one record of each takes; less than that does not begin another.
  const options = { checkpointBytesMax: 25_000 };
  const storage = await openStorage(directory, { files, events, options });
  const source = new RecordSource();

  /** Writes a record of each, holds the first sync until `work` is done, and lets it go on. */
  const whileSyncing = async (work: () => Promise<void>) => {
    const startMs = performance.now();
    const hold = files.hold('datasync', /results_by_product/);
    await storage.append(source.batch(...many));
    await hold.reached();
    await work();
    // Syncs may take as long as the appends before them.
    await delay(performance.now() - startMs);
    hold.release();
  };

  /** The same with another record of these. */
  const writeMeanwhile = (...names: readonly string[]) =>
    whileSyncing(async () => void (await storage.append(source.batch(...names))));
  return { directory, files, events, storage, whileSyncing, writeMeanwhile };
}

/** Each an event and its first argument, which came first in this order. */
function inOrder(t: ExecutionContext, events: RecordedEvents, ...expected: readonly string[]) {
  const all = new Set(events.all.map(({ name, args }) => `${name} ${args[0]}`));
  t.deepEqual(
    [...all].filter((event) => expected.includes(event)),
    expected,
  );
}

test('what is recorded while a checkpoint is under way is in product files before it is done, and no part of it', async (t) => {
  const { directory, files, events, writeMeanwhile } = await setup(t);

  await writeMeanwhile('p0', 'p299', 'new');
  await events.until('checkpointed', 300);
  await files.losePower();

  inOrder(t, events, 'aggregated 303', 'checkpointed 300');
  t.is((await checkStore(t, directory)).checkpointSeq, 300);
  const storage = await openStorage(directory);
  t.like(await storage.lastRecord(productId('p299')), { seq: 302, version: 2 });
  await storage.close();
  await checkCleanStore(t, directory);
});

test('a file whose sync fails in the later part of a checkpoint is made anew before that is done', async (t) => {
  const { directory, files, events, writeMeanwhile } = await setup(t);
  files.fail('datasync', /p299\.ndjson$/, 'EIO', { times: 1 });

  await writeMeanwhile('p0');
  await events.until('checkpointed', 300);
  await files.losePower();

  inOrder(
    t,
    events,
    'aggregated 301',
    `derivedFileRebuilt ${productFile(productId('p299'))}`,
    'checkpointed 300',
  );
  t.is((await checkStore(t, directory)).checkpointSeq, 300);
});

test('a flush has with it what was left of a checkpoint, and what came since', async (t) => {
  const { directory, files, storage, writeMeanwhile } = await setup(t);
  await writeMeanwhile('p0', 'new');

  t.is(await storage.flush(), 302);
  await files.losePower();

  t.is((await checkStore(t, directory)).checkpointSeq, 302);
});

test('a stop finishes a checkpoint that is under way', async (t) => {
  const { directory, files, storage, writeMeanwhile } = await setup(t);
  await writeMeanwhile('p0', 'new');

  await storage.close();
  await files.losePower();

  t.is((await checkCleanStore(t, directory)).checkpointSeq, 302);
});

test('what urges a checkpoint while another is under way is not forgotten', async (t) => {
  const { directory, events, storage, writeMeanwhile } = await setup(t);

  await writeMeanwhile(...many);
  await events.until('checkpointed', 300);
  await events.until('checkpointed', 600);

  await storage.close();
  await checkCleanStore(t, directory);
});

test('syncs that would fail in any part of a checkpoint are met at once, and mended by a stop', async (t) => {
  const { directory, files, events, storage, writeMeanwhile } = await setup(t);
  const failing = ['p1', 'p270', 'p299'];
  for (const name of failing) {
    files.fail('datasync', new RegExp(`/${name}\\.ndjson$`), 'EIO', { times: 1 });
  }
  await writeMeanwhile('p0');

  await storage.close();

  t.deepEqual(events.of('backgroundWorkFailed'), [], 'the stop met none that the round had not');
  const rebuilt = events.of('derivedFileRebuilt').map(([file]) => file);
  t.deepEqual(
    rebuilt,
    failing.map((name) => productFile(productId(name))),
  );
  await checkCleanStore(t, directory);
});

test('a file that a reader finds damaged does not have to wait for a checkpoint', async (t) => {
  const { directory, events, storage, whileSyncing } = await setup(t);
  const damaged = productFile(productId('p7'));

  await whileSyncing(async () => {
    await writeFile(join(directory, damaged), 'what somebody else has put there\n');
    await t.throwsAsync(storage.lastRecord(productId('p7')), { code: 'PRODUCT_FILE_DAMAGED' });
  });
  await events.until('checkpointed', 300);

  inOrder(t, events, `derivedFileRebuilt ${damaged}`, 'checkpointed 300');
  await storage.close();
  await checkCleanStore(t, directory);
});
