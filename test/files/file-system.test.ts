import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import test from 'ava';
import { toVolumeRoom } from '../../src/files/file-system.ts';

test('a volume that does not count its files has room for more; one that has none left has not', async (t) => {
  const volume = await statfs(tmpdir());

  const uncounted = toVolumeRoom({ ...volume, files: 0, ffree: 0 });
  const full = toVolumeRoom({ ...volume, files: 100, ffree: 0 });

  t.true(uncounted.freeFiles > 0);
  t.is(full.freeFiles, 0);
});
