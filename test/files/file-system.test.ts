import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import test from 'ava';
import { nodeFileSystem, toVolumeRoom } from '../../src/files/file-system.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('a volume that does not count its files has room for more; one that has none left has not', async (t) => {
  const volume = await statfs(tmpdir());

  const uncounted = toVolumeRoom({ ...volume, files: 0, ffree: 0 });
  const full = toVolumeRoom({ ...volume, files: 100, ffree: 0 });

  t.true(uncounted.freeFiles > 0);
  t.is(full.freeFiles, 0);
});

test('a directory that is read in the place of a file is named', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = await nodeFileSystem.open(directory, 'read');
  t.teardown(() => file.close());

  const error = await t.throwsAsync(file.read(Buffer.alloc(1), 0), { code: 'EISDIR' });

  t.true(error?.message.includes(directory), error?.message);
});
