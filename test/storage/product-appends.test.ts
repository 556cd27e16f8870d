import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Append, AppendOutcome } from '../../src/files/append.ts';
import { AppendThread } from '../../src/files/append-thread.ts';
import { nodeFileSystem } from '../../src/files/file-system.ts';
import { productFile } from '../../src/storage/product-file.ts';
import { encodeAll, productId, RecordSource } from '../support/records.ts';
import { checkCleanStore, openStorage, RecordedEvents } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/* Product files that a thread of their own appends to, as in the process that serves. */

async function open(t: ExecutionContext) {
  const directory = await temporaryDirectory(t);
  const thread = new AppendThread();
  const gate: { failure?: Error | undefined } = {};
  const asked: (readonly Append[])[] = [];
  const appendAll = async (appends: readonly Append[]): Promise<readonly AppendOutcome[]> => {
    asked.push(appends);
    const outcomes = await thread.appendAll(appends);
    if (gate.failure !== undefined) throw gate.failure;
    return outcomes;
  };
  const events = new RecordedEvents();
  const files = { ...nodeFileSystem, appendAll };
  const options = { flushIntervalMs: 1 };
  const storage = await openStorage(directory, { files, events, options });
  const source = new RecordSource();
  const write = async (...products: readonly string[]) => {
    const batch = source.batch(...products);
    await storage.append(batch);
    return batch;
  };
  const pathOf = (product: string) => join(directory, productFile(productId(product)));
  return { directory, storage, events, gate, asked, write, pathOf };
}

test('each product has its records, whether it is new, known, or the first of its directory', async (t) => {
  const { directory, storage, events, asked, write, pathOf } = await open(t);
  const many = Array.from({ length: 300 }, (_, index) => `p${index}`);

  const first = await write(...many, 'a');
  await events.until('aggregated', storage.lastSeq);
  const second = await write('a', ...many, 'a');
  await storage.close();

  const own = [...first, ...second].filter((record) => record.productId === 'a');
  t.is(await readFile(pathOf('a'), 'utf8'), encodeAll(own));
  t.true(asked.length > 0);
  t.true(asked.every((appends) => appends.length <= 64));
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
