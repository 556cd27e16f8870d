import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { backUp } from '../../src/cli/back-up.ts';
import { CopyProgress } from '../../src/cli/copy-progress.ts';
import { restore } from '../../src/cli/restore.ts';
import { exitCode, exitCodeOf } from '../../src/exit-code.ts';
import { DirectoryLock } from '../../src/files/directory-lock.ts';
import { nodeFileSystem } from '../../src/files/file-system.ts';
import { closedDirectory } from '../support/data-directory.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { RecordSource } from '../support/records.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const silent = { write: async () => {}, isTerminal: false };

async function setup(t: ExecutionContext) {
  const dataDir = await closedDirectory(t, [new RecordSource().batch('a', 'b')]);
  const backup = join(await temporaryDirectory(t), 'backup');
  return { backup, address: { dataDir, host: '127.0.0.1', backplanePort: 1 } };
}

test('while a store that nobody serves is copied no service can start on it', async (t) => {
  const { backup, address } = await setup(t);
  await (await DirectoryLock.acquire(nodeFileSystem, address.dataDir)).release();
  const files = new FaultyFiles();
  const hold = files.hold('datasync', /results/);

  const copying = backUp(files, backup, address, silent);
  await hold.reached();
  await t.throwsAsync(DirectoryLock.acquire(nodeFileSystem, address.dataDir), {
    code: 'DIRECTORY_LOCKED',
  });
  hold.release();

  t.is((await copying).code, exitCode.ok);
  await (await DirectoryLock.acquire(nodeFileSystem, address.dataDir)).release();
});

test('a full disk ends a backup and a restoration with 74', async (t) => {
  const { backup, address } = await setup(t);
  const full = new FaultyFiles();
  full.fail('write', /ndjson/, 'ENOSPC');
  const target = await temporaryDirectory(t);

  const backedUp = await t.throwsAsync(backUp(full, backup, address, silent));
  await backUp(nodeFileSystem, backup, address, silent);
  const restored = await t.throwsAsync(restore(full, backup, target, silent));

  t.is(exitCodeOf(backedUp), exitCode.io);
  t.is(exitCodeOf(restored), exitCode.io);
  t.false((await readdir(target, { recursive: true })).some((name) => name.endsWith('ndjson')));
});

test('while a store is restored no service can start on it', async (t) => {
  const { backup, address } = await setup(t);
  await backUp(nodeFileSystem, backup, address, silent);
  const files = new FaultyFiles();
  const hold = files.hold('datasync', /results/);
  const target = await temporaryDirectory(t);

  const restoring = restore(files, backup, target, silent);
  await hold.reached();
  await t.throwsAsync(DirectoryLock.acquire(nodeFileSystem, target), { code: 'DIRECTORY_LOCKED' });
  hold.release();

  t.is((await restoring).code, exitCode.ok);
});

test('progress is a line for each tenth, and on a terminal one line that is written over', async (t) => {
  const file = 'manifest.ndjson';
  const snapshot = { seq: 1, timestamp: null, files: [{ file, bytes: 1000, sha256: '' }] };
  const shown = async (isTerminal: boolean) => {
    let all = '';
    const write = async (text: string) => {
      all += text;
    };
    const { onBytes } = new CopyProgress('copied', snapshot, { write, isTerminal });
    for (let count = 0; count < 200; count += 1) await onBytes(file, 5);
    return all;
  };

  const plain = (await shown(false)).split('\n');
  const terminal = (await shown(true)).split('\r\u001b[K');

  t.is(plain.length, 11);
  t.is(plain[0], 'copied 10 %, 100 of 1000 bytes');
  t.is(plain[9], 'copied 100 %, 1000 of 1000 bytes');
  t.is(terminal.length, 101);
  t.is(terminal.at(-1), 'copied 100 %, 1000 of 1000 bytes: manifest.ndjson\n');
});
