import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { FileStorageOptions } from '../../src/storage/file-storage.ts';
import { productFile } from '../../src/storage/product-file.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { encodeAll, productId, RecordSource } from '../support/records.ts';
import { checkCleanStore, openStorage, RecordedEvents } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const products = /results_by_product/;
const never = 3_600_000;

test('records of one window go into a product file with one append', async (t) => {
  const { directory, files, storage, source } = await openFaulty(t);
  const hold = files.hold('write', products);
  await storage.append(source.batch('first'));
  await hold.reached();

  const batches = [source.batch('a', 'b'), source.batch('a'), source.batch('b', 'a')];
  for (const batch of batches) await storage.append(batch);
  hold.release();
  await storage.close();

  const writes = files.calls('write', products).map(({ path }) => path);
  t.is(new Set(writes).size, 3);
  t.is(writes.length, 3);
  await checkCleanStore(t, directory);
});

test('what is not aggregated yet is read all the same', async (t) => {
  const { events, files, storage, source } = await openFaulty(t);
  const first = source.batch('a', 'b', 'a');
  await storage.append(first);
  await events.until('aggregated', storage.lastSeq);
  const hold = files.hold('write', products);
  const later = [source.batch('a', 'c'), source.batch('a')];
  for (const batch of later) await storage.append(batch);
  await hold.reached();

  const records = await storage.productRecords(productId('a'));
  const own = [...first, ...later.flat()].filter((record) => record.productId === 'a');

  t.is(records.length, 4);
  t.deepEqual(await records.slice(0, 4), own);
  t.deepEqual(await records.slice(1, 3), own.slice(1, 3));
  for (const [index, record] of own.entries()) {
    t.is(await records.indexOfSeq(record.seq), index);
    t.is(await records.indexAt(record.timestamp), index);
  }
  t.is(await records.indexOfSeq(100), 4);
  t.deepEqual(await storage.lastRecord(productId('c')), later[0]?.[1]);
  hold.release();
  await storage.close();
});

for (const [operation, errno] of [
  ['write', 'ENOSPC'],
  ['write', 'EIO'],
  ['create', 'EMFILE'],
  ['makeDirectory', 'ENOSPC'],
  ['datasync', 'EIO'],
  ['syncDirectory', 'EIO'],
] as const) {
  test(`a product file that meets ${errno} at ${operation} is tried again until it is complete`, async (t) => {
    const { directory, files, storage, source, events } = await openFaulty(t, {
      checkpointIntervalMs: 1,
    });
    files.shortWrites(products, 50);
    files.fail(operation, products, errno, { times: 3, after: 1 });

    for (let count = 0; count < 5; count += 1) await storage.append(source.batch('a', 'b', 'c'));
    await events.until('aggregated', storage.lastSeq);
    await storage.close();

    t.true(events.of('backgroundWorkFailed').length > 0);
    await checkCleanStore(t, directory);
  });
}

for (const errno of ['EMFILE', 'ENFILE'] as const) {
  test(`with too many open files (${errno}) a reader is told that it passes, and then reads on`, async (t) => {
    const { directory, files, storage, source, events } = await openFaulty(t);
    const [record] = source.batch('a');
    await storage.append(record === undefined ? [] : [record]);
    await events.until('aggregated', 1);
    const all = await storage.allRecords();
    const fault = files.fail('open', /\.ndjson/, errno);

    await t.throwsAsync(storage.lastRecord(productId('a')), { code: 'STORAGE_BUSY' });
    await t.throwsAsync(storage.productRecords(productId('a')), { code: 'STORAGE_BUSY' });
    await t.throwsAsync(all.slice(0, 1), { code: 'STORAGE_BUSY' });
    fault.stop();

    t.deepEqual(await storage.lastRecord(productId('a')), record);
    await storage.close();
    await checkCleanStore(t, directory);
  });
}

test('a product file whose sync failed is made anew before the checkpoint passes it', async (t) => {
  const { directory, events, files, storage, source } = await openFaulty(t, {
    checkpointIntervalMs: 1,
  });
  files.fail('datasync', /a\.ndjson$/, 'EIO', { times: 1 });

  await storage.append(source.batch('a', 'b'));
  await events.until('checkpointed', 2);

  t.deepEqual(events.of('derivedFileRebuilt')[0]?.[0], productFile(productId('a')));
  const names = events.all.map(({ name }) => name);
  t.true(names.indexOf('derivedFileRebuilt') < names.indexOf('checkpointed'));
  await storage.close();
  await checkCleanStore(t, directory);
});

test('a stop that cannot finish the product files says so, and the next start does it', async (t) => {
  const { directory, files, storage, source } = await openFaulty(t);
  await storage.append(source.batch('a', 'b'));
  files.fail('datasync', products, 'EIO');

  await t.throwsAsync(storage.close(), { code: 'EIO' });

  const next = await openStorage(directory);
  await next.close();
  await checkCleanStore(t, directory);
});

for (const [what, spoil] of [
  ['', async () => {}],
  [', also into a file that vanished meanwhile', (path: string) => unlink(path)],
] as const) {
  test(`a stop puts into product files what came after an append that failed${what}`, async (t) => {
    const { directory, files, storage, source, events } = await openFaulty(t);
    const fileOf = (product: string) => join(directory, productFile(productId(product)));
    const before = source.batch('b');
    await storage.append(before);
    await storage.flush();
    // The second time is the retry, which a stop waits for and no other follows.
    files.fail('write', /a\.ndjson$/, 'EIO', { times: 2 });
    await storage.append(source.batch('a'));
    await events.until('backgroundWorkFailed', 'aggregation');
    await spoil(fileOf('b'));
    const after = source.batch('b');
    await storage.append(after);

    await storage.close();

    t.is(await readFile(fileOf('b'), 'utf8'), encodeAll([...before, ...after]));
    t.is((await checkCleanStore(t, directory)).checkpointSeq, 3);
  });
}

test('a checkpoint that cannot be written is tried again', async (t) => {
  const { directory, files, storage, source, events } = await openFaulty(t, {
    checkpointIntervalMs: 1,
  });
  files.fail('rename', /checkpoint/, 'EIO', { times: 2 });

  await storage.append(source.batch('a'));
  await events.until('checkpointed', 1);
  await storage.close();

  t.true(events.of('backgroundWorkFailed').length > 0);
  await checkCleanStore(t, directory);
});

test('the checkpoint is written only after every product file that it covers is synced', async (t) => {
  const { directory, files, storage, source } = await openFaulty(t);
  await storage.append(source.batch('a', 'b', 'c'));

  await storage.close();

  const calls = files.calls().map(({ operation, path }) => `${operation} ${path}`);
  const lastSync = calls.findLastIndex(
    (call) => call.startsWith('datasync') && products.test(call),
  );
  const lastDirectorySync = calls.findLastIndex(
    (call) => call.startsWith('syncDirectory') && products.test(call),
  );
  const checkpoint = calls.findLastIndex(
    (call) => call.startsWith('create') && /checkpoint/.test(call),
  );
  t.is(files.calls('datasync', products).length, 3);
  t.true(lastSync < checkpoint && lastDirectorySync < checkpoint);
  await checkCleanStore(t, directory);
});

test('a full backlog holds writers back, then refuses them, and takes them again', async (t) => {
  const { directory, events, files, storage, source } = await openFaulty(t, {
    backlogRecordsMax: 3,
    backlogWaitMs: 1,
  });
  const hold = files.hold('write', products);
  await storage.append(source.batch('a', 'b', 'c'));
  await hold.reached();
  const batch = source.batch('a');

  await t.throwsAsync(storage.append(batch), { code: 'BACKLOG_FULL' });
  hold.release();
  await events.until('aggregated', storage.lastSeq);
  await storage.append(batch);
  await storage.close();

  await checkCleanStore(t, directory);
});

test('a write that waits for the backlog goes on as soon as there is room', async (t) => {
  const { directory, files, storage, source } = await openFaulty(t, {
    backlogRecordsMax: 1,
    backlogWaitMs: never,
  });
  const hold = files.hold('write', products);
  await storage.append(source.batch('a'));
  await hold.reached();

  const waiting = storage.append(source.batch('a'));
  hold.release();
  await waiting;
  await storage.close();

  await checkCleanStore(t, directory);
});

test('a product file that vanished is met again at its next append, and rebuilt', async (t) => {
  const { directory, events, storage, source } = await openFaulty(t);
  await storage.append(source.batch('a', 'b'));
  await events.until('aggregated', 2);
  await unlink(join(directory, productFile(productId('a'))));
  await storage.append(source.batch('a', 'b'));
  await storage.close();

  await checkCleanStore(t, directory);
});

test('writes stop below the watermark and go on above it, without a restart', async (t) => {
  const { directory, files, storage, source, events } = await openFaulty(t, { freeBytesMin: 1000 });
  const [first, second] = [source.batch('a'), source.batch('a')];
  await storage.append(first);
  files.setRoom({ freeBytes: 999, freeFiles: 10 });
  await storage.maintain();

  await t.throwsAsync(storage.append(second), { code: 'NO_SPACE' });
  t.deepEqual(await storage.lastRecord(productId('a')), first[0], 'reads go on');
  files.setRoom({ freeBytes: 1000, freeFiles: 10 });
  await storage.maintain();
  await storage.append(second);
  await storage.close();

  t.deepEqual(
    events.of('roomChanged').map(([hasRoom]) => hasRoom),
    [false, true],
  );
  t.is(
    await readFile(join(directory, productFile(productId('a'))), 'utf8'),
    encodeAll([...first, ...second]),
  );
  await checkCleanStore(t, directory);
});

test('a look at the volume that fails is reported, and the storage goes on', async (t) => {
  const { directory, files, storage, source, events } = await openFaulty(t);
  files.fail('room', /./, 'EIO', { times: 1 });

  await storage.maintain();
  await storage.append(source.batch('a'));
  await storage.close();

  t.like(events.of('backgroundWorkFailed')[0], { 0: 'maintenance', 1: { code: 'EIO' } });
  await checkCleanStore(t, directory);
});

async function openFaulty(t: ExecutionContext, options: Partial<FileStorageOptions> = {}) {
  const directory = await temporaryDirectory(t);
  const files = new FaultyFiles();
  const events = new RecordedEvents();
  const storage = await openStorage(directory, { files, events, options });
  return { directory, files, events, storage, source: new RecordSource() };
}
