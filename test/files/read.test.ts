import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { readFully } from '../../src/files/read.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('a read that a signal interrupts is made again, unseen', async (t) => {
  const path = join(await temporaryDirectory(t), 'file');
  await writeFile(path, 'content');
  const files = new FaultyFiles();
  files.fail('read', /file$/, 'EINTR', { times: 2 });
  const file = await files.open(path, 'read');

  const bytes = await readFully(file, 0, 100);

  t.is(bytes.toString(), 'content');
  await file.close();
});
