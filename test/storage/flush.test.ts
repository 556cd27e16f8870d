import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { readCheckpoint } from '../../src/storage/checkpoint.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { RecordSource } from '../support/records.ts';
import { checkCleanStore, checkStore, openStorage, RecordedEvents } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const products = /results_by_product/;

async function setup(t: ExecutionContext) {
  const directory = await temporaryDirectory(t);
  const files = new FaultyFiles();
  const events = new RecordedEvents();
  // No checkpoint comes by itself.
  const storage = await openStorage(directory, { files, events });
  const source = new RecordSource();
  return { directory, files, events, storage, source };
}

test('what was recorded before a flush is in product files and the checkpoint after a loss of power', async (t) => {
  const { directory, files, storage, source } = await setup(t);
  await storage.append(source.batch('a', 'b', 'a'));

  const seq = await storage.flush();
  await files.losePower();

  t.is(seq, 3);
  const { checkpointSeq, notes } = await checkStore(t, directory);
  t.is(checkpointSeq, 3);
  t.is(notes.length, 1, 'only the open segment is left to be sealed');
});

test('a flush takes with it what is recorded while a round of product files is written', async (t) => {
  const { directory, files, storage, source } = await setup(t);
  const hold = files.hold('write', products);
  await storage.append(source.batch('a'));
  await hold.reached();
  await storage.append(source.batch('b'));

  const flushed = storage.flush();
  hold.release();

  t.is(await flushed, 2);
  t.like(await readCheckpoint(files, directory), { seq: 2, products: 2 });
  await storage.close();
});

test('a flush with nothing to do is answered, once and again', async (t) => {
  const { directory, storage, source } = await setup(t);

  t.is(await storage.flush(), 0);
  await storage.append(source.batch('a'));
  t.deepEqual(await Promise.all([storage.flush(), storage.flush()]), [1, 1]);
  t.is(await storage.flush(), 1);
  await storage.close();
  await checkCleanStore(t, directory);
});

test('a flush that fails says so, and what it should have written is written later', async (t) => {
  const { directory, files, storage, source } = await setup(t);
  await storage.append(source.batch('a'));
  files.fail('datasync', products, 'EIO', { times: 1 });

  await t.throwsAsync(storage.flush(), { code: 'EIO' });

  t.is(await storage.flush(), 1);
  await storage.close();
  await checkCleanStore(t, directory);
});

test('a flush asked for after a product file failed is answered by the stop that comes before it', async (t) => {
  const { directory, files, events, storage, source } = await setup(t);
  files.fail('write', /a\.ndjson$/, 'EIO', { times: 5 });
  await storage.append(source.batch('a'));
  // After the fourth failure the job leaves time for what follows.
  while (events.of('backgroundWorkFailed').length < 4) await delay(10);
  await storage.append(source.batch('b'));

  const flushed = storage.flush();
  await storage.close();

  t.is(await flushed, 2);
  await checkCleanStore(t, directory);
});
