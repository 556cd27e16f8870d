import { EventEmitter, once } from 'node:events';
import { mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { isSystemError } from '../../src/errors.ts';
import { FileThread } from '../../src/files/file-thread.ts';
import {
  type Append,
  type AppendOutcome,
  type ManyFiles,
  NotStarted,
  type SyncOutcome,
} from '../../src/files/many-files.ts';
import { productFile } from '../../src/storage/product-file.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { encodeAll, productId, RecordSource } from '../support/records.ts';
import { checkCleanStore, openStorage, RecordedEvents } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/* Product files that a thread of their own writes to, as in the process that serves. */

async function open(t: ExecutionContext) {
  // The pause before a retry alone would not keep the process.
  const awake = setInterval(() => {}, 1000);
  t.teardown(() => clearInterval(awake));
  const directory = await temporaryDirectory(t);
  const thread = new FileThread();
  const gate: { failure?: Error | undefined; isShut?: boolean } = {};
  const gateEvents = new EventEmitter<{ reached: []; opened: [] }>();
  const asked: (readonly Append[])[] = [];
  const appendAll = async (appends: readonly Append[]): Promise<readonly AppendOutcome[]> => {
    asked.push(appends);
    const outcomes = await thread.appendAll(appends);
    gateEvents.emit('reached');
    if (gate.isShut === true) await once(gateEvents, 'opened');
    if (gate.failure !== undefined) throw gate.failure;
    return outcomes;
  };
  const sync: { asked: (readonly string[])[]; outcome?: SyncOutcome; failure?: Error } = {
    asked: [],
  };
  const syncAll = async (paths: readonly string[]): Promise<readonly SyncOutcome[]> => {
    sync.asked.push(paths);
    const { outcome, failure } = sync;
    delete sync.outcome;
    delete sync.failure;
    if (failure !== undefined) throw failure;
    const outcomes = await thread.syncAll(paths);
    return outcome === undefined ? outcomes : [outcome, ...outcomes.slice(1)];
  };
  const events = new RecordedEvents();
  const manyFiles: ManyFiles = { appendAll, syncAll };
  const files = Object.assign(new FaultyFiles(), { manyFiles });
  const options = { flushIntervalMs: 1 };
  const storage = await openStorage(directory, { files, events, options });
  const source = new RecordSource();
  const write = async (...names: readonly string[]) => {
    const batch = source.batch(...names);
    await storage.append(batch);
    return batch;
  };
  const pathOf = (product: string) => join(directory, productFile(productId(product)));
  return {
    directory,
    files,
    storage,
    events,
    gate,
    gateEvents,
    asked,
    sync,
    source,
    write,
    pathOf,
  };
}

test('each product has its records, whether it is new, known, or the first of its directory', async (t) => {
  const { directory, storage, events, asked, sync, write, pathOf } = await open(t);
  const many = Array.from({ length: 300 }, (_, index) => `p${index}`);

  const first = await write(...many, 'a');
  await events.until('aggregated', storage.lastSeq);
  const second = await write('a', ...many, 'a');
  await storage.close();

  const own = [...first, ...second].filter((record) => record.productId === 'a');
  t.is(await readFile(pathOf('a'), 'utf8'), encodeAll(own));
  t.true(asked.length > 0);
  t.true(asked.every((appends) => appends.length <= 256));
  t.true(sync.asked.every((paths) => paths.length <= 256));
  t.is(new Set(sync.asked.flat()).size, 301);
  t.is((await checkCleanStore(t, directory)).records, 603);
});

for (const [what, spoil] of [
  ['vanished', (path: string) => rm(path)],
  ['was emptied', (path: string) => writeFile(path, '')],
] as const) {
  test(`a file that ${what} is met at its next append, and rebuilt, and no other is held up`, async (t) => {
    const { directory, storage, events, write, pathOf } = await open(t);
    await write('a', 'b');
    await events.until('aggregated', storage.lastSeq);

    await spoil(pathOf('a'));
    await write('a', 'b');
    await events.until('derivedFileRebuilt', productFile(productId('a')));
    await storage.close();

    await checkCleanStore(t, directory);
  });
}

test('a file that is there for a new product is met, and rebuilt', async (t) => {
  const { directory, storage, events, write, pathOf } = await open(t);
  await mkdir(dirname(pathOf('new')), { recursive: true });
  await writeFile(pathOf('new'), 'what somebody else has put there\n');

  await write('new');
  await events.until('derivedFileRebuilt', productFile(productId('new')));
  await storage.close();

  await checkCleanStore(t, directory);
});

test('new products in new directories are for the thread, and for nobody else', async (t) => {
  const { directory, files, storage, write } = await open(t);

  await write(...Array.from({ length: 300 }, (_, index) => `p${index}`));
  await storage.flush();
  const calls = (['makeDirectory', 'open', 'create'] as const).flatMap((call) =>
    files.calls(call, /results_by_product\//),
  );
  await storage.close();

  t.deepEqual(calls, []);
  await checkCleanStore(t, directory);
});

test('a directory of all products that was removed is made again with them', async (t) => {
  const { directory, storage, events, write } = await open(t);
  await write('a', 'b');
  await events.until('aggregated', storage.lastSeq);

  await rm(join(directory, 'results_by_product'), { recursive: true });
  await write('a', 'b', 'new');
  await storage.close();

  t.is((await checkCleanStore(t, directory)).records, 5);
});

test('long texts are not all given to the thread at once', async (t) => {
  const { directory, storage, asked, source } = await open(t);
  const names = Array.from({ length: 3000 }, (_, index) => `p${index % 60}`);
  const text = 'a'.repeat(200);
  const long = source.batch(...names).map((record) => ({ ...record, reason: text, source: text }));

  await storage.append(long);
  await storage.close();

  const lengths = asked.map((appends) =>
    appends.reduce((length, { text }) => length + text.length, 0),
  );
  t.true(Math.max(...lengths) < 1.1e6, `${lengths}`);
  t.true(lengths.length > 1);
  t.is((await checkCleanStore(t, directory)).records, 3000);
});

test('what the system says of a file that cannot be written is passed on, and the others are written', async (t) => {
  const { directory, storage, write, pathOf } = await open(t);
  await mkdir(pathOf('new'), { recursive: true });
  await write('a', 'new');

  const failure = await t.throwsAsync(storage.flush(), { code: 'EISDIR' });
  const text = await readFile(pathOf('a'), 'utf8');
  await rmdir(pathOf('new'));
  await storage.close();

  t.true(isSystemError(failure));
  t.is(text.split('\n').length, 2);
  await checkCleanStore(t, directory);
});

test('where no thread lives long enough to answer, product files are complete all the same', async (t) => {
  const { directory, storage, gate, write } = await open(t);
  gate.failure = new Error('the thread has ended');

  await write(...Array.from({ length: 300 }, (_, index) => `p${index}`));
  await storage.close();

  t.is((await checkCleanStore(t, directory)).records, 300);
});

test('a stop waits for the thread, and finishes what that could not and what came since', async (t) => {
  const { directory, storage, events, gate, gateEvents, write } = await open(t);
  gate.isShut = true;
  const reached = once(gateEvents, 'reached');
  await write('a');
  await reached;
  await write('b');
  await storage.seal();

  const closing = storage.close();
  // With nothing to seal, only the stop's own tries follow from here.
  await setImmediate();
  gate.failure = new Error('the thread has ended');
  gate.isShut = false;
  gateEvents.emit('opened');
  await events.until('aggregated', 1);
  gate.failure = undefined;
  await closing;

  t.is((await checkCleanStore(t, directory)).checkpointSeq, 2);
});

test('what was asked of a thread whose answer is lost stands in the files once', async (t) => {
  const { directory, storage, events, gate, write } = await open(t);
  await write('a', 'b');
  await events.until('aggregated', storage.lastSeq);

  gate.failure = new Error('the thread has ended');
  await write('a', 'b', 'new');
  await events.until('backgroundWorkFailed', 'aggregation');
  gate.failure = undefined;
  await storage.close();

  t.is((await checkCleanStore(t, directory)).records, 5);
});

for (const [what, sync] of [
  ['cannot be synced', { outcome: { error: failedCall('EIO'), wasOpen: true } }],
  ['is not there any more', { outcome: { error: failedCall('ENOENT'), wasOpen: false } }],
  ['was being synced when the thread ended', { failure: new Error('the thread has ended') }],
] as const) {
  test(`a file that ${what} is made anew before the checkpoint passes it`, async (t) => {
    const store = await open(t);
    await store.write('a', 'b');
    Object.assign(store.sync, sync);

    await t.throwsAsync(store.storage.flush());
    await store.events.until('derivedFileRebuilt', productFile(productId('a')));
    const syncsBefore = store.sync.asked.length;
    const checkpointSeq = await store.storage.flush();
    await store.storage.close();

    t.is(checkpointSeq, 2);
    t.false(store.sync.asked.slice(syncsBefore).flat().includes(store.pathOf('a')));
    await checkCleanStore(t, store.directory);
  });
}

test('a file that could not be opened is synced later, and not made anew', async (t) => {
  const { directory, storage, events, sync, write, pathOf } = await open(t);
  await write('a', 'b');
  sync.outcome = { error: failedCall('EMFILE'), wasOpen: false };

  await t.throwsAsync(storage.flush(), { code: 'EMFILE' });
  await storage.flush();
  await storage.close();

  t.is(sync.asked.flat().filter((path) => path === pathOf('a')).length, 2);
  t.deepEqual(events.of('derivedFileRebuilt'), []);
  await checkCleanStore(t, directory);
});

function failedCall(code: string): Error {
  return Object.assign(new Error(`${code}: as the system says it`), { code });
}

test('where no thread can be started, files are synced without one, and none is made anew', async (t) => {
  const { directory, storage, events, sync, write } = await open(t);
  await write('a', 'b');
  sync.failure = new NotStarted();

  await storage.flush();
  await storage.close();

  t.deepEqual(events.of('derivedFileRebuilt'), []);
  await checkCleanStore(t, directory);
});

test('the directories of new products are on disk before the checkpoint passes them', async (t) => {
  const { directory, files, storage, write, pathOf } = await open(t);
  await write('a', 'b');
  const before = files.calls().length;

  await storage.flush();
  const calls = files.calls().slice(before);
  await storage.close();

  const checkpoint = calls.findIndex(({ path }) => path.includes('checkpoint'));
  const synced = calls
    .slice(0, checkpoint)
    .filter(({ operation }) => operation === 'syncDirectory')
    .map(({ path }) => path);
  const expected = [
    dirname(pathOf('a')),
    dirname(pathOf('b')),
    join(directory, 'results_by_product'),
  ];
  t.deepEqual(synced.toSorted(), expected.toSorted());
});
