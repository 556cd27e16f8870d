import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { tryLock } from 'fs-native-extensions';
import { errnoOf } from '../../src/errors.ts';
import { nodeFileSystem, type OpenFile } from '../../src/files/file-system.ts';
import { type Errno, FaultyFiles, PowerLost } from './faulty-files.ts';
import { temporaryDirectory } from './temporary-directory.ts';

test('calls are recorded in order, with their paths and byte counts', async (t) => {
  const { files, path } = await setUp(t);

  await files.makeDirectory(path('a'));
  const file = await files.create(path('a/b'));
  await file.write(Buffer.from('hello'), 0);
  await file.read(Buffer.alloc(3), 0);
  await file.truncate(2);
  await file.datasync();
  await file.stat();
  await file.close();
  await files.syncDirectory(path('a'));
  await files.rename(path('a/b'), path('a/c'));
  await files.open(path('a/c'), 'read').then((opened) => opened.close());
  await files.stat(path('a/c'));
  await files.list(path('a'));
  await files.remove(path('a/c'));
  await files.room(path('a'));

  t.deepEqual(files.calls(), [
    { operation: 'makeDirectory', path: path('a') },
    { operation: 'create', path: path('a/b') },
    { operation: 'write', path: path('a/b'), bytes: 5 },
    { operation: 'read', path: path('a/b'), bytes: 3 },
    { operation: 'truncate', path: path('a/b'), bytes: 2 },
    { operation: 'datasync', path: path('a/b') },
    { operation: 'fstat', path: path('a/b') },
    { operation: 'close', path: path('a/b') },
    { operation: 'syncDirectory', path: path('a') },
    { operation: 'rename', path: path('a/b'), to: path('a/c') },
    { operation: 'open', path: path('a/c') },
    { operation: 'close', path: path('a/c') },
    { operation: 'stat', path: path('a/c') },
    { operation: 'list', path: path('a') },
    { operation: 'remove', path: path('a/c') },
    { operation: 'room', path: path('a') },
  ]);
});

test('calls are found by operation, by path, and for a rename by either path', async (t) => {
  const { files, path } = await setUp(t);
  await put(files, path('a'), '');
  await put(files, path('b'), '');
  await files.rename(path('a'), path('c'));

  t.is(files.calls('create').length, 2);
  t.is(files.calls('create', /b$/).length, 1);
  t.is(files.calls(undefined, /b$/g).length, 4);
  t.is(files.calls('rename', /a$/).length, 1);
  t.is(files.calls('rename', /c$/).length, 1);
  t.is(files.calls('rename', /b$/).length, 0);
});

test('without a fault every call does what the file system below does', async (t) => {
  const { files, path } = await setUp(t);
  await files.makeDirectory(path('a'));
  const file = await files.create(path('a/b'));
  const target = Buffer.alloc(8);

  const written = await file.write(Buffer.from('hello'), 1);
  const read = await file.read(target, 1);
  await file.truncate(4);
  const { bytes } = await file.stat();
  await file.close();

  t.is(written, 5);
  t.is(target.toString('utf8', 0, read), 'hello');
  t.is(bytes, 4);
  t.deepEqual(await files.list(path('a')), ['b']);
  t.is((await files.stat(path('a/b'))).bytes, 4);
  t.true((await files.room(path('a'))).freeBytes > 0);
  t.is(errnoOf(await t.throwsAsync(files.create(path('a/b')))), 'EEXIST');
  t.is(errnoOf(await t.throwsAsync(files.open(path('x/b'), 'write'))), 'ENOENT');
  t.is(errnoOf(await t.throwsAsync(files.create(path('x/b')))), 'ENOENT');
});

test('a held call does nothing until it is released, and then all of it', async (t) => {
  const { files, path } = await setUp(t);
  const hold = files.hold('create', /a$/);

  const creating = files.create(path('a'));
  await hold.reached();
  const namesBefore = await readdir(path('.'));
  hold.release();
  await (await creating).close();

  t.deepEqual(namesBefore, []);
  t.deepEqual(await readdir(path('.')), ['a']);
});

test('a hold counts the calls that reach it, and lets them go on in order', async (t) => {
  const below = new FaultyFiles();
  const { files, path } = await setUp(t, below);
  const file = await files.create(path('a'));
  const hold = files.hold('write', /a$/);

  const writes = [3, 1, 2].map((bytes) => file.write(Buffer.alloc(bytes), 0));
  await hold.reached(3);
  const belowWhileHeld = below.calls('write').length;
  hold.release();
  await Promise.all(writes);
  await file.close();

  t.is(belowWhileHeld, 0);
  t.deepEqual(
    below.calls('write').map(({ bytes }) => bytes),
    [3, 1, 2],
  );
});

test('a hold touches no other operation, no other path, and nothing after its release', async (t) => {
  const { files, path } = await setUp(t);
  const hold = files.hold('write', /a$/);

  await put(files, path('b'), 'other path');
  const file = await files.create(path('a'));
  await file.datasync();
  hold.release();
  await file.write(Buffer.from('after'), 0);
  await file.close();

  t.is(await text(path('b')), 'other path');
  t.is(await text(path('a')), 'after');
});

test('a failing call throws an error like those of Node, and does nothing', async (t) => {
  const { files, path } = await setUp(t);
  const file = await files.create(path('a'));
  files.fail('write', /a$/, 'ENOSPC');

  const error = await t.throwsAsync(file.write(Buffer.from('x'), 0));
  await file.close();

  t.like(error, { code: 'ENOSPC', syscall: 'write', path: path('a'), errno: -28 });
  t.is(errnoOf(error), 'ENOSPC');
  t.is(await text(path('a')), '');
});

test('every operation can be made to fail', async (t) => {
  const { files, path } = await setUp(t);
  await put(files, path('b'), '');
  const file = await files.create(path('a'));
  const operations = {
    open: () => files.open(path('a'), 'read'),
    create: () => files.create(path('c')),
    list: () => files.list(path('.')),
    stat: () => files.stat(path('a')),
    rename: () => files.rename(path('b'), path('d')),
    remove: () => files.remove(path('b')),
    makeDirectory: () => files.makeDirectory(path('e')),
    syncDirectory: () => files.syncDirectory(path('.')),
    room: () => files.room(path('.')),
    read: () => file.read(Buffer.alloc(1), 0),
    write: () => file.write(Buffer.from('x'), 0),
    datasync: () => file.datasync(),
    truncate: () => file.truncate(1),
    fstat: () => file.stat(),
    close: () => file.close(),
  } as const;

  for (const [operation, call] of Object.entries(operations)) {
    files.fail(operation as keyof typeof operations, /./, 'EIO');
    const error = await t.throwsAsync<Error>(async () => void (await call()), undefined, operation);
    t.is(errnoOf(error), 'EIO', operation);
  }

  t.deepEqual((await readdir(path('.'))).sort(), ['a', 'b']);
});

test('a failure begins after the calls it lets pass, and ends after its times', async (t) => {
  const { files, path } = await setUp(t);
  const file = await files.create(path('a'));
  files.fail('datasync', /a$/, 'EIO', { after: 2, times: 1 });

  const outcomes: (Errno | 'ok')[] = [];
  for (let call = 0; call < 5; call += 1) outcomes.push(await outcomeOf(file.datasync()));
  await file.close();

  t.deepEqual(outcomes, ['ok', 'ok', 'EIO', 'ok', 'ok']);
});

test('a failure goes on until it is stopped, alone or with all others', async (t) => {
  const { files, path } = await setUp(t);
  const file = await files.create(path('a'));
  const failure = files.fail('datasync', /a$/, 'EIO');
  files.fail('truncate', /a$/, 'EROFS');

  const first = [await outcomeOf(file.datasync()), await outcomeOf(file.datasync())];
  failure.stop();
  const second = [await outcomeOf(file.datasync()), await outcomeOf(file.truncate(0))];
  files.stopFailing();
  const third = [await outcomeOf(file.datasync()), await outcomeOf(file.truncate(0))];
  await file.close();

  t.deepEqual(
    [first, second, third],
    [
      ['EIO', 'EIO'],
      ['ok', 'EROFS'],
      ['ok', 'ok'],
    ],
  );
});

test('a call that is held fails when the fault comes before the release', async (t) => {
  const { files, path } = await setUp(t);
  const file = await files.create(path('a'));
  const hold = files.hold('datasync', /a$/);

  const outcome = outcomeOf(file.datasync());
  await hold.reached();
  files.fail('datasync', /a$/, 'EIO');
  hold.release();

  t.is(await outcome, 'EIO');
  await file.close();
});

test('a failing close closes the file all the same', async (t) => {
  const { files, path } = await setUp(t);
  const file = await files.create(path('a'));
  files.fail('close', /a$/, 'EIO');

  const outcome = await outcomeOf(file.close());

  t.is(outcome, 'EIO');
  t.is(await outcomeOf(file.datasync()), 'EBADF');
});

test('short writes put no more than the limit, until stopped', async (t) => {
  const { files, path } = await setUp(t);
  const file = await files.create(path('a'));
  const fault = files.shortWrites(/a$/, 3);

  const short = await file.write(Buffer.from('abcdef'), 0);
  const fitting = await file.write(Buffer.from('xy'), 3);
  fault.stop();
  const whole = await file.write(Buffer.from('123456'), 5);
  await file.close();

  t.deepEqual([short, fitting, whole], [3, 2, 6]);
  t.is(await text(path('a')), 'abcxy123456');
});

test('the room is what the test says, and then the truth again', async (t) => {
  const { files, path } = await setUp(t);
  const room = { freeBytes: 5, freeFiles: 6 };

  files.setRoom(room);
  const told = await files.room(path('.'));
  files.setRoom(undefined);
  const real = await files.room(path('.'));

  t.deepEqual(told, room);
  t.true(real.freeBytes > 5);
});

test('after a power loss a file has the content of its last datasync', async (t) => {
  const { files, path } = await setUp(t);
  const file = await files.create(path('a'));
  await files.syncDirectory(path('.'));
  await file.write(Buffer.from('synced'), 0);
  await file.datasync();
  await file.write(Buffer.from('UNSYNCED and more'), 0);

  await files.losePower();

  t.is(await text(path('a')), 'synced');
});

test('after a power loss a truncation without a datasync is undone', async (t) => {
  const { files, path } = await setUp(t);
  await writeFile(path('a'), 'all of it');
  const file = await files.open(path('a'), 'write');
  await file.truncate(3);

  await files.losePower();

  t.is(await text(path('a')), 'all of it');
});

test('after a power loss a truncation with a datasync stays', async (t) => {
  const { files, path } = await setUp(t);
  await writeFile(path('a'), 'all of it');
  const file = await files.open(path('a'), 'write');
  await file.truncate(3);
  await file.datasync();

  await files.losePower();

  t.is(await text(path('a')), 'all');
});

test('a datasync counts for what was written through another open file', async (t) => {
  const { files, path } = await setUp(t);
  await writeFile(path('a'), '');
  const writer = await files.open(path('a'), 'write');
  const syncer = await files.open(path('a'), 'read');
  await writer.write(Buffer.from('by the other'), 0);
  await syncer.datasync();

  await files.losePower();

  t.is(await text(path('a')), 'by the other');
});

test('a datasync that fails makes nothing durable', async (t) => {
  const { files, path } = await setUp(t);
  await writeFile(path('a'), 'before');
  const file = await files.open(path('a'), 'write');
  files.fail('datasync', /a$/, 'EIO', { times: 1 });
  await file.write(Buffer.from('AFTER!'), 0);
  await outcomeOf(file.datasync());

  await files.losePower();

  t.is(await text(path('a')), 'before');
});

test('after a power loss a file in an unsynced directory is gone, its datasync notwithstanding', async (t) => {
  const { files, path } = await setUp(t);
  await put(files, path('a'), 'content');

  await files.losePower();

  t.deepEqual(await readdir(path('.')), []);
});

test('after a power loss a file in a synced directory without a datasync is there and empty', async (t) => {
  const { files, path } = await setUp(t);
  const file = await files.create(path('a'));
  await file.write(Buffer.from('content'), 0);
  await files.syncDirectory(path('.'));

  await files.losePower();

  t.is(await text(path('a')), '');
});

test('after a power loss a directory that its parent does not know is gone with its files', async (t) => {
  const { files, path } = await setUp(t);
  await files.makeDirectory(path('a'));
  await put(files, path('a/b'), 'content');
  await files.syncDirectory(path('a'));

  await files.losePower();

  t.deepEqual(await readdir(path('.')), []);
});

test('after a power loss directories and files that were synced all the way are there', async (t) => {
  const { files, path } = await setUp(t);
  await files.makeDirectory(path('a'));
  await files.syncDirectory(path('.'));
  await files.makeDirectory(path('a/b'));
  await files.syncDirectory(path('a'));
  await put(files, path('a/b/c'), 'content');
  await files.syncDirectory(path('a/b'));
  await put(files, path('a/b/d'), 'too late');

  await files.losePower();

  t.deepEqual(await readdir(path('a/b')), ['c']);
  t.is(await text(path('a/b/c')), 'content');
});

test('a directory that was looked into before it was made is accounted for all the same', async (t) => {
  const { files, path } = await setUp(t);
  const missing = await outcomeOf(files.open(path('a/b'), 'read'));
  await files.makeDirectory(path('a'));
  await files.syncDirectory(path('.'));
  await put(files, path('a/b'), 'content');
  await files.syncDirectory(path('a'));
  await put(files, path('a/c'), 'too late');

  await files.losePower();

  t.is(missing, 'ENOENT');
  t.deepEqual(await readdir(path('a')), ['b']);
});

test('after a power loss an unsynced rename is undone, and what it replaced is back', async (t) => {
  const { files, path } = await setUp(t);
  await writeFile(path('a'), 'old');
  await put(files, path('a.tmp'), 'new');
  await files.rename(path('a.tmp'), path('a'));

  await files.losePower();

  t.deepEqual(await readdir(path('.')), ['a']);
  t.is(await text(path('a')), 'old');
});

test('after a power loss an unsynced rename has left the file under its old name', async (t) => {
  const { files, path } = await setUp(t);
  await put(files, path('a.open'), 'content');
  await files.syncDirectory(path('.'));
  await files.rename(path('a.open'), path('a'));

  await files.losePower();

  t.deepEqual(await readdir(path('.')), ['a.open']);
  t.is(await text(path('a.open')), 'content');
});

test('after a power loss a synced rename stays', async (t) => {
  const { files, path } = await setUp(t);
  await writeFile(path('a'), 'old');
  await put(files, path('a.tmp'), 'new');
  await files.rename(path('a.tmp'), path('a'));
  await files.syncDirectory(path('.'));

  await files.losePower();

  t.deepEqual(await readdir(path('.')), ['a']);
  t.is(await text(path('a')), 'new');
});

test('a rename that is synced before the content leaves an empty file', async (t) => {
  const { files, path } = await setUp(t);
  await writeFile(path('a'), 'old');
  const file = await files.create(path('a.tmp'));
  await file.write(Buffer.from('new'), 0);
  await files.rename(path('a.tmp'), path('a'));
  await files.syncDirectory(path('.'));

  await files.losePower();

  t.is(await text(path('a')), '');
});

test('a file that is written under one name and synced under the next keeps its content', async (t) => {
  const { files, path } = await setUp(t);
  const file = await files.create(path('a.open'));
  await file.write(Buffer.from('content'), 0);
  await files.rename(path('a.open'), path('a'));
  await file.datasync();
  await files.syncDirectory(path('.'));

  await files.losePower();

  t.is(await text(path('a')), 'content');
});

test('a rename to another directory counts where it was synced', async (t) => {
  const { files, path } = await setUp(t);
  await mkdir(path('from'));
  await mkdir(path('to'));
  await writeFile(path('from/a'), 'content');
  await files.rename(path('from/a'), path('to/a'));
  await files.syncDirectory(path('to'));

  await files.losePower();

  t.is(await text(path('from/a')), 'content');
  t.is(await text(path('to/a')), 'content');
});

test('after a power loss an unsynced removal is undone, with the content of the last datasync', async (t) => {
  const { files, path } = await setUp(t);
  await put(files, path('a'), 'synced');
  await files.syncDirectory(path('.'));
  const file = await files.open(path('a'), 'write');
  await file.write(Buffer.from('UNSYNCED'), 0);
  await files.remove(path('a'));

  await files.losePower();

  t.is(await text(path('a')), 'synced');
});

test('after a power loss a synced removal stays', async (t) => {
  const { files, path } = await setUp(t);
  await put(files, path('a'), 'synced');
  await files.syncDirectory(path('.'));
  await files.remove(path('a'));
  await files.syncDirectory(path('.'));

  await files.losePower();

  t.deepEqual(await readdir(path('.')), []);
});

test('a file that is removed and made again under its name is the old one after a power loss', async (t) => {
  const { files, path } = await setUp(t);
  await put(files, path('a'), 'old');
  await files.syncDirectory(path('.'));
  await files.remove(path('a'));
  await put(files, path('a'), 'new');

  await files.losePower();

  t.is(await text(path('a')), 'old');
});

test('what a test put there itself counts as durable when it is first seen', async (t) => {
  const { files, path } = await setUp(t);
  await put(files, path('a'), 'content');
  await writeFile(path('b'), 'put there later');
  await writeFile(path('c'), 'put there later too');
  await files.remove(path('b'));
  await files.rename(path('a'), path('c'));

  await files.losePower();

  t.deepEqual((await readdir(path('.'))).sort(), ['b', 'c']);
  t.is(await text(path('b')), 'put there later');
  t.is(await text(path('c')), 'put there later too');
});

test('a power loss does not touch a file that has nothing to lose', async (t) => {
  const { files, path } = await setUp(t);
  await put(files, path('a'), 'content');
  await files.syncDirectory(path('.'));
  const before = await nodeFileSystem.stat(path('a'));

  await files.losePower();

  t.deepEqual(await nodeFileSystem.stat(path('a')), before);
});

test('a sync that is held when the power is lost has done nothing, and its caller is told', async (t) => {
  const { files, path } = await setUp(t);
  await writeFile(path('a'), 'before');
  const file = await files.open(path('a'), 'write');
  await file.write(Buffer.from('AFTER!'), 0);
  const hold = files.hold('datasync', /a$/);

  const syncing = file.datasync();
  await hold.reached();
  await Promise.all([t.throwsAsync(syncing, { instanceOf: PowerLost }), files.losePower()]);

  t.is(await text(path('a')), 'before');
});

test('calls that run when the power is lost count as not done', async (t) => {
  const { files, path } = await setUp(t);
  await writeFile(path('a'), 'before');
  const file = await files.open(path('a'), 'write');
  await file.write(Buffer.from('AFTER!'), 0);

  const running = Promise.allSettled([
    file.datasync(),
    files.create(path('b')),
    files.remove(path('a')),
    files.syncDirectory(path('.')),
  ]);
  await files.losePower();
  const outcomes = await running;

  t.true(outcomes.every(({ status }) => status === 'rejected'));
  t.deepEqual(await readdir(path('.')), ['a']);
  t.is(await text(path('a')), 'before');
});

test('calls that have reached the disk when the power is lost count as not done', async (t) => {
  const below = new FaultyFiles();
  const { files, path } = await setUp(t, below);
  await writeFile(path('a'), 'before');
  const file = await files.open(path('a'), 'write');
  await file.write(Buffer.from('AFTER!'), 0);
  await put(files, path('c'), 'in an unsynced directory');
  const holds = [
    below.hold('datasync', /a$/),
    below.hold('create', /b$/),
    below.hold('syncDirectory', /./),
  ];

  const running = [file.datasync(), files.create(path('b')), files.syncDirectory(path('.'))];
  const outcomes = Promise.allSettled(running);
  await Promise.all(holds.map((hold) => hold.reached()));
  const losing = files.losePower();
  for (const hold of holds) hold.release();
  await losing;

  t.true((await outcomes).every(({ status }) => status === 'rejected'));
  t.is(below.calls('close', /b$/).length, 1);
  t.deepEqual(await readdir(path('.')), ['a']);
  t.is(await text(path('a')), 'before');
});

test('after a power loss every call is refused and does nothing', async (t) => {
  const { files, path } = await setUp(t);
  const file = await files.create(path('a'));
  await files.losePower();
  const callsBefore = files.calls().length;

  await t.throwsAsync(files.create(path('b')), { instanceOf: PowerLost });
  await t.throwsAsync(files.list(path('.')), { instanceOf: PowerLost });
  await t.throwsAsync(file.write(Buffer.from('x'), 0), { instanceOf: PowerLost });
  await t.throwsAsync(file.close(), { instanceOf: PowerLost });

  t.deepEqual(await readdir(path('.')), []);
  t.is(files.calls().length, callsBefore);
});

test('a power loss frees the locks on open files', async (t) => {
  const { files, path } = await setUp(t);
  await writeFile(path('LOCK'), '');
  const held = await files.open(path('LOCK'), 'write');
  const other = await nodeFileSystem.open(path('LOCK'), 'write');
  t.teardown(() => other.close());
  const wasLocked = tryLock(held.fd) && !tryLock(other.fd);

  await files.losePower();

  t.true(wasLocked);
  t.true(tryLock(other.fd));
});

async function setUp(t: ExecutionContext, below?: FaultyFiles) {
  const directory = await temporaryDirectory(t);
  return { files: new FaultyFiles(below), path: (name: string) => join(directory, name) };
}

/** Makes a file with this content, synced; its directory is not. */
async function put(files: FaultyFiles, path: string, content: string): Promise<void> {
  const file: OpenFile = await files.create(path);
  await file.write(Buffer.from(content), 0);
  await file.datasync();
  await file.close();
}

function text(path: string): Promise<string> {
  return readFile(path, 'utf8');
}

async function outcomeOf(call: Promise<unknown>): Promise<Errno | 'ok'> {
  try {
    await call;
    return 'ok';
  } catch (error) {
    return errnoOf(error) as Errno;
  }
}
