import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { RepricerError } from '../../src/errors.ts';
import type { FileStorage, FileStorageOptions } from '../../src/storage/file-storage.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { encodeAll, noon, productId, RecordSource, TestClock } from '../support/records.ts';
import { checkCleanStore, checkStore, openStorage, RecordedEvents } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const segments = /ndjson(\.open)?$/;
const journal = /results\/date=/;

test('a batch is one write and one datasync, and is not acknowledged before that', async (t) => {
  const { files, storage, source } = await openFaulty(t);
  await storage.append(source.batch('a'));
  const callsBefore = files.calls().length;
  const hold = files.hold('datasync', journal);

  const append = storage.append(source.batch('a', 'b', 'c'));
  await hold.reached();
  const isAcknowledged = await isSettled(append);
  hold.release();
  const places = await append;

  t.false(isAcknowledged);
  const calls = files
    .calls()
    .slice(callsBefore)
    .filter(({ path }) => segments.test(path) && journal.test(path));
  t.deepEqual(
    calls.map(({ operation }) => operation),
    ['write', 'datasync'],
  );
  t.is(places.length, 3);
  await storage.close();
});

for (const operation of ['write', 'datasync'] as const) {
  test(`a batch whose ${operation} hangs is reported before it returns, and its whole time after`, async (t) => {
    const { files, events, storage, source } = await openFaulty(t);
    const hold = files.hold(operation, journal);
    // What tells of the hang keeps no process alive, and nothing else here may be left to.
    const alive = setInterval(() => {}, 1000);
    t.teardown(() => clearInterval(alive));

    const append = storage.append(source.batch('a', 'b'));
    await events.until('batchHangs');
    const syncedBefore = events.of('batchSynced').length;
    hold.release();
    await append;

    t.is(syncedBefore, 0);
    t.is(events.of('batchHangs').length, 1);
    const [records, seconds = 0] = events.of('batchSynced')[0] ?? [];
    t.is(records, 2);
    // A timer may come up to a millisecond early by the clock that measures this.
    t.true(Number(seconds) >= 0.999, `${seconds} seconds`);
    await storage.close();
  });
}

test('a new segment has a durable name before its first batch is acknowledged', async (t) => {
  const { directory, files, storage, source } = await openFaulty(t);

  await storage.append(source.batch('a'));
  await losePower(files, storage);

  const recovered = await openStorage(directory);
  t.is(recovered.lastSeq, 1);
  await recovered.close();
  await checkCleanStore(t, directory);
});

test('what was acknowledged survives a loss of power at any moment; what was not may vanish', async (t) => {
  for (let syncs = 0; syncs < 12; syncs += 1) {
    const { directory, files, storage, source } = await openFaulty(t, { segmentBytesMax: 400 });
    // The last call of its kind that returns; the next one is cut off by the loss of power.
    const fault = files.fail('datasync', journal, 'EIO', { after: syncs });

    let acknowledged = 0;
    while (acknowledged < 20) {
      try {
        const places = await storage.append(source.batch('a', 'b'));
        acknowledged += places.length;
      } catch {
        break;
      }
    }
    fault.stop();
    await losePower(files, storage);

    const recovered = await openStorage(directory);
    t.true(recovered.lastSeq >= acknowledged, `${acknowledged} acknowledged`);
    await recovered.close();
    await checkCleanStore(t, directory);
  }
});

test('a failed datasync refuses its batch and every later one, and is never tried again', async (t) => {
  const { directory, files, storage, source } = await openFaulty(t);
  await storage.append(source.batch('a'));
  files.fail('datasync', journal, 'EIO', { times: 1 });

  await t.throwsAsync(storage.append(source.batch('a')), { code: 'STORAGE_FAILED' });
  const syncs = files.calls('datasync', journal).length;
  await t.throwsAsync(storage.append(new RecordSource().batch('x')), { instanceOf: Error });
  await storage.close();

  t.is(files.calls('datasync', journal).length, syncs);
  const recovered = await openStorage(directory);
  t.is(recovered.lastSeq, 1, 'the batch was cut off');
  await recovered.close();
  await checkCleanStore(t, directory);
});

test('a batch that meets no space is cut off, and the journal goes on when there is room again', async (t) => {
  const { directory, files, storage, source } = await openFaulty(t);
  const first = source.batch('a');
  await storage.append(first);
  const batch = source.batch('a', 'b');
  files.shortWrites(journal, 100);
  const full = files.fail('write', journal, 'ENOSPC', { after: 1 });

  await t.throwsAsync(storage.append(batch), { code: 'NO_SPACE' });
  t.is(await journalOf(directory), encodeAll(first), 'no part of it stays');
  await t.throwsAsync(storage.append(batch), { code: 'NO_SPACE' });
  full.stop();
  await storage.maintain();
  await storage.append(batch);
  await storage.close();

  t.is(await journalOf(directory), encodeAll([...first, ...batch]));
  await checkCleanStore(t, directory);
});

test('a first batch that meets no space leaves no segment behind', async (t) => {
  const { directory, files, storage, source } = await openFaulty(t);
  const batch = source.batch('a');
  const full = files.fail('write', journal, 'ENOSPC');

  await t.throwsAsync(storage.append(batch), { code: 'NO_SPACE' });

  t.deepEqual(await readdir(join(directory, 'results/date=2026-11-21')), []);
  full.stop();
  await storage.maintain();
  await storage.append(batch);
  await storage.close();
  await checkCleanStore(t, directory);
});

test('writes that take only a part of what they are given are carried on, unseen', async (t) => {
  const { directory, files, storage, source } = await openFaulty(t);
  files.shortWrites(/./, 17);
  const batches = [source.batch('a', 'b'), source.batch('a')];

  for (const batch of batches) await storage.append(batch);
  await storage.close();

  t.is(await journalOf(directory), encodeAll(batches.flat()));
  await checkCleanStore(t, directory);
});

for (const [operation, path] of [
  ['create', /\.ndjson\.open$/],
  ['syncDirectory', /date=/],
  ['rename', /\.ndjson/],
  ['create', /manifest/],
  ['open', /manifest/],
] as const) {
  test(`too many open files at ${operation} of ${path.source} refuses a batch, and the next one goes on`, async (t) => {
    const { directory, files, storage, source } = await openFaulty(t, { segmentBytesMax: 400 });
    for (const batch of [source.batch('a', 'b'), source.batch('a', 'b')])
      await storage.append(batch);
    const batch = source.batch('c');
    const fault = files.fail(operation, path, 'EMFILE', { times: 1 });

    const refused = await storage.append(batch).then(
      () => undefined,
      (error: RepricerError) => error.code,
    );
    fault.stop();
    if (refused !== undefined) await storage.append(batch);
    await storage.close();

    t.is(refused, 'STORAGE_BUSY');
    await checkCleanStore(t, directory);
  });
}

test('a segment is sealed before it would grow past its size, listed, and never written again', async (t) => {
  const { directory, storage, source, events } = await openFaulty(t, { segmentBytesMax: 500 });

  for (let count = 0; count < 6; count += 1) await storage.append(source.batch('a', 'b'));
  await storage.close();

  const sealed = events.of('segmentSealed');
  t.is(sealed.length, 6);
  t.deepEqual(
    sealed.map(([, rows]) => rows),
    [2, 2, 2, 2, 2, 2],
  );
  await checkCleanStore(t, directory);
});

test('a sealed name that no directory sync made durable is made so before the manifest lists it', async (t) => {
  const { directory, files, storage, source } = await openFaulty(t);
  await storage.append(source.batch('a', 'b'));
  files.fail('syncDirectory', journal, 'EIO', { times: 1 });
  await t.throwsAsync(storage.close(), { code: 'STORAGE_FAILED' });

  const second = await openStorage(directory, { files });
  await second.close();
  await files.losePower();

  const third = await openStorage(directory);
  t.is(third.lastSeq, 2);
  await third.close();
  await checkCleanStore(t, directory);
});

test('a file that cannot be closed after its sealing is reported, and refuses no write', async (t) => {
  const { directory, files, storage, source, events } = await openFaulty(t, {
    segmentBytesMax: 500,
  });
  await storage.append(source.batch('a', 'b'));
  files.fail('close', journal, 'EIO', { times: 1 });

  await storage.append(source.batch('a', 'b'));

  t.is(events.of('segmentSealed').length, 1);
  t.like(events.of('backgroundWorkFailed')[0], ['close', { code: 'EIO' }, undefined]);
  await storage.close();
  await checkCleanStore(t, directory);
});

test('a batch that met no space stays cut off after a loss of power', async (t) => {
  const { directory, files, storage, source } = await openFaulty(t);
  await storage.append(source.batch('a'));
  const syncs = files.calls('datasync', journal).length;
  files.shortWrites(journal, 100);
  files.fail('write', journal, 'ENOSPC', { after: 1, times: 1 });

  await t.throwsAsync(storage.append(source.batch('a', 'b')), { code: 'NO_SPACE' });

  t.is(files.calls('datasync', journal).length, syncs + 1, 'the cut is synced');
  await storage.close();
  await checkCleanStore(t, directory);
});

test('an idle segment is sealed when it is an hour old', async (t) => {
  const clock = new TestClock();
  const { directory, storage, source, events } = await openFaulty(t, {}, clock);
  await storage.append(source.batch('a'));

  clock.advanceMs(3_599_000);
  await storage.maintain();
  t.is(events.of('segmentSealed').length, 0);
  clock.advanceMs(1000);
  await storage.maintain();
  t.is(events.of('segmentSealed').length, 1);

  await storage.close();
  await checkCleanStore(t, directory);
});

test('a stop lists the sealed segment that could not be listed before', async (t) => {
  const clock = new TestClock();
  const { directory, files, storage, source } = await openFaulty(t, {}, clock);
  await storage.append(source.batch('a'));
  clock.advanceMs(3_600_000);
  const fault = files.fail('write', /manifest/, 'EAGAIN');
  await storage.maintain();
  fault.stop();

  await storage.close();

  const manifest = await readFile(join(directory, 'manifest.ndjson'), 'utf8');
  t.is(manifest.split('\n').length, 2);
  await checkCleanStore(t, directory);
});

test('a segment is sealed at UTC midnight, and each stands in the directory of its date', async (t) => {
  const clock = new TestClock();
  const source = new RecordSource(noon);
  const { directory, storage } = await openFaulty(t, { segmentAgeMaxMs: 86_400_000 }, clock);
  await storage.append(source.batch('a'));
  source.advanceMs(12 * 3_600_000);

  await storage.append(source.batch('a'));
  await storage.close();

  t.deepEqual(await readdir(join(directory, 'results')), ['date=2026-11-21', 'date=2026-11-22']);
  await checkCleanStore(t, directory);
});

test('the journal is read while its open segment is being sealed', async (t) => {
  const { directory, files, storage, source } = await openFaulty(t);
  await storage.append(source.batch('a', 'b'));
  const records = await storage.allRecords();
  const hold = files.hold('syncDirectory', journal);

  const closing = storage.close();
  await hold.reached();
  const read = await records.slice(0, 2);
  hold.release();
  await closing;

  t.deepEqual(
    read.map(({ productId: id }) => id),
    [productId('a'), productId('b')],
  );
  await checkStore(t, directory);
});

async function openFaulty(
  t: ExecutionContext,
  options: Partial<FileStorageOptions> = {},
  clock = new TestClock(),
) {
  const directory = await temporaryDirectory(t);
  const files = new FaultyFiles();
  const events = new RecordedEvents();
  const storage = await openStorage(directory, { files, events, clock, options });
  return { directory, files, events, storage, source: new RecordSource() };
}

/** The machine stops. What is left of the process here must end too; whether that succeeds says nothing. */
async function losePower(files: FaultyFiles, storage: FileStorage): Promise<void> {
  await files.losePower();
  await Promise.allSettled([storage.close()]);
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

async function journalOf(directory: string): Promise<string> {
  const results = join(directory, 'results/date=2026-11-21');
  const names = (await readdir(results)).sort();
  return (await Promise.all(names.map((name) => readFile(join(results, name), 'utf8')))).join('');
}
