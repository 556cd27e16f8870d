import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { makeDirectories } from '../../src/files/directories.ts';
import { DirectoryLock } from '../../src/files/directory-lock.ts';
import { nodeFileSystem } from '../../src/files/file-system.ts';
import { replaceFile } from '../../src/files/replace-file.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const operations = ['create', 'write', 'datasync', 'rename'] as const;

for (const operation of operations) {
  test(`a replacement that fails at ${operation} leaves the old file, and nothing beside it`, async (t) => {
    const { files, path, directory } = await setup(t);
    files.fail(operation, /\.tmp$/, 'ENOSPC', { times: 1 });

    await t.throwsAsync(replaceFile(files, path, [Buffer.from('new')]), { code: 'ENOSPC' });

    t.is(await readFile(path, 'utf8'), 'old');
    t.deepEqual(await readdir(directory), ['file']);
  });
}

for (const operation of [...operations, 'syncDirectory'] as const) {
  test(`after a loss of power at ${operation} the file has its whole old content or its whole new one`, async (t) => {
    const { files, path } = await setup(t);
    const hold = files.hold(operation, /./);
    const replacing = replaceFile(files, path, [Buffer.from('ne'), Buffer.from('w')]);
    await hold.reached();

    await files.losePower();
    await t.throwsAsync(replacing, { instanceOf: Error });

    t.is(await readFile(path, 'utf8'), 'old');
  });
}

test('a replacement is on disk when it resolves', async (t) => {
  const { files, path } = await setup(t);

  await replaceFile(files, path, [Buffer.from('new')]);
  await files.losePower();

  t.is(await readFile(path, 'utf8'), 'new');
});

test('a replacement that takes its writes in small parts is whole', async (t) => {
  const { files, path } = await setup(t);
  files.shortWrites(/./, 3);

  await replaceFile(files, path, [Buffer.from('a new content'), Buffer.from(' and more')]);

  t.is(await readFile(path, 'utf8'), 'a new content and more');
});

test('what an interrupted replacement left is no hindrance', async (t) => {
  const { files, path, directory } = await setup(t);
  await writeFile(`${path}.tmp`, 'half of a longer content than the new one');

  await replaceFile(files, path, [Buffer.from('new')]);

  t.is(await readFile(path, 'utf8'), 'new');
  t.deepEqual(await readdir(directory), ['file']);
});

test('directories are on disk with all those above them when they are made', async (t) => {
  const { files, directory } = await setup(t);

  await makeDirectories(files, join(directory, 'a/b/c'));
  await files.losePower();

  t.deepEqual(await readdir(join(directory, 'a/b')), ['c']);
});

test('a directory that was made and never synced is made durable when it is found', async (t) => {
  const { files, directory } = await setup(t);
  await files.makeDirectory(join(directory, 'a'));

  await makeDirectories(files, join(directory, 'a'));
  await files.losePower();

  t.deepEqual(await readdir(directory), ['a', 'file']);
});

test('a directory is locked by one owner at a time', async (t) => {
  const directory = await temporaryDirectory(t);
  const lock = await DirectoryLock.acquire(nodeFileSystem, directory);

  await t.throwsAsync(DirectoryLock.acquire(nodeFileSystem, directory), {
    code: 'DIRECTORY_LOCKED',
  });
  await t.throwsAsync(DirectoryLock.acquireIfPresent(nodeFileSystem, directory), {
    code: 'DIRECTORY_LOCKED',
  });
  await lock.release();

  await (await DirectoryLock.acquire(nodeFileSystem, directory)).release();
});

test('who only reads creates no lock', async (t) => {
  const directory = await temporaryDirectory(t);

  t.is(await DirectoryLock.acquireIfPresent(nodeFileSystem, directory), undefined);

  t.deepEqual(await readdir(directory), []);
});

async function setup(t: ExecutionContext) {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'file');
  await writeFile(path, 'old');
  return { directory, path, files: new FaultyFiles() };
}
