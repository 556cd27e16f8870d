import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import workerThreads from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { errnoOf } from '../../src/errors.ts';
import { FileThread } from '../../src/files/file-thread.ts';
import { type Append, NotStarted } from '../../src/files/many-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const run = promisify(execFile);

const threadFile = new URL('../../src/files/file-thread.js', import.meta.url).href;

async function start(t: ExecutionContext) {
  const directory = await temporaryDirectory(t);
  const pathOf = (name: string) => join(directory, name);
  return {
    thread: new FileThread(),
    pathOf,
    put: (name: string, text: string) => writeFile(pathOf(name), text),
    textOf: (name: string) => readFile(pathOf(name), 'utf8'),
    add: (name: string, text: string): Append => ({ path: pathOf(name), text, isNew: false }),
    create: (name: string, text: string): Append => ({ path: pathOf(name), text, isNew: true }),
  };
}

test('text is added at the end of a file, and to a new one, which may be there and be empty', async (t) => {
  const { thread, put, textOf, add, create } = await start(t);
  await put('old', 'a\n');
  await put('empty', '');

  const outcomes = await thread.appendAll([
    add('old', 'ä€\n'),
    create('new', 'b\n'),
    create('empty', 'c\n'),
    create('directory/first', 'd\n'),
    create('directory/second', 'e\n'),
  ]);

  t.deepEqual(outcomes, ['done', 'done', 'done', 'done', 'done']);
  t.is(await textOf('old'), 'a\nä€\n');
  t.is(await textOf('new'), 'b\n');
  t.is(await textOf('empty'), 'c\n');
  t.is(await textOf('directory/first'), 'd\n');
  t.is(await textOf('directory/second'), 'e\n');
});

test('a file that is not as it must be is left alone, and spoils no other', async (t) => {
  const { thread, pathOf, put, textOf, add, create } = await start(t);
  await put('full', 'a\n');
  await put('empty', '');
  await mkdir(pathOf('directory'));

  const outcomes = await thread.appendAll([
    create('full', 'x'),
    add('empty', 'x'),
    add('missing', 'x'),
    create('nowhere/at/all', 'x'),
    add('directory', 'x'),
    add('full', 'b\n'),
  ]);

  t.deepEqual(
    outcomes.map((outcome) => (outcome instanceof Error ? errnoOf(outcome) : outcome)),
    ['unfit', 'unfit', 'ENOENT', 'ENOENT', 'EISDIR', 'done'],
  );
  t.regex(String(outcomes[2]), /ENOENT.*missing/);
  t.is(await textOf('full'), 'a\nb\n');
  t.is(await textOf('empty'), '');
  await t.throwsAsync(textOf('missing'), { code: 'ENOENT' });
});

test('files are synced, and of each that cannot be is told whether it was opened', async (t) => {
  const { thread, pathOf, put } = await start(t);
  await put('file', 'a');
  await mkdir(pathOf('directory'));

  const paths = [
    pathOf('file'),
    pathOf('missing'),
    pathOf('directory'),
    '/dev/null',
    pathOf('file'),
  ];
  const outcomes = await thread.syncAll(paths);

  t.deepEqual(
    outcomes.map((outcome) =>
      outcome === 'done' ? outcome : [errnoOf(outcome.error), outcome.wasOpen],
    ),
    // A device has nothing to sync.
    ['done', ['ENOENT', false], ['EISDIR', false], ['EINVAL', true], 'done'],
  );
});

test.serial('a thread that there is no room for says that it has done nothing', async (t) => {
  const { thread, pathOf, put, create } = await start(t);
  await put('file', 'a');
  const { Worker } = workerThreads;
  workerThreads.Worker = class {
    constructor() {
      throw new Error('EAGAIN');
    }
  } as unknown as typeof Worker;
  syncBuiltinESMExports();
  t.teardown(() => {
    workerThreads.Worker = Worker;
    syncBuiltinESMExports();
  });

  await t.throwsAsync(thread.appendAll([create('new', 'a')]), { instanceOf: NotStarted });
  await t.throwsAsync(thread.syncAll([pathOf('file')]), { instanceOf: NotStarted });
  t.false(thread.isBusy);
});

test('what is asked for at once is added in that order', async (t) => {
  const { thread, textOf, add, create } = await start(t);
  const numbers = Array.from({ length: 200 }, (_, index) => `${index}\n`);

  const first = thread.appendAll([create('file', 'first\n')]);
  const others = numbers.map((text) => thread.appendAll([add('file', text)]));
  t.true(thread.isBusy);
  await Promise.all([first, ...others]);

  t.false(thread.isBusy);
  t.is(await textOf('file'), `first\n${numbers.join('')}`);
});

test('what a thread that ends was asked for fails, and the next is done by another', async (t) => {
  const { thread, textOf, create } = await start(t);
  const broken = [{ ...create('x', 'x'), text: undefined }] as unknown as readonly Append[];
  const crash = undefined as unknown as readonly Append[];

  const unknown = await thread.appendAll(broken);
  const [crashed, lost] = await Promise.allSettled([
    thread.appendAll(crash),
    thread.appendAll([create('lost', 'a')]),
  ]);
  const isBusyAfter = thread.isBusy;
  const outcomes = await thread.appendAll([create('new', 'a')]);

  t.regex(String(unknown[0]), /must be of type string/);
  t.is(crashed.status, 'rejected');
  t.is(lost.status, 'rejected');
  t.false(isBusyAfter);
  t.deepEqual(outcomes, ['done']);
  t.is(await textOf('new'), 'a');
});

test('a process ends by itself once its thread has answered', async (t) => {
  const { pathOf, put, textOf } = await start(t);
  const source = `
    import { FileThread } from ${JSON.stringify(threadFile)};
    const thread = new FileThread();
    const append = { path: ${JSON.stringify(pathOf('new'))}, text: 'a', isNew: true };
    console.log(...(await thread.appendAll([append])));
  `;

  // Node ends with 13 when it has nothing more to do but an answer is still awaited.
  await put('main.mjs', source);
  const { stdout } = await run(process.execPath, [pathOf('main.mjs')]);

  t.is(stdout, 'done\n');
  t.is(await textOf('new'), 'a');
});
