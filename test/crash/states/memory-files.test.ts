import { join } from 'node:path';
import test from 'ava';
import { errnoOf } from '../../../src/errors.ts';
import { type FileSystem, nodeFileSystem } from '../../../src/files/file-system.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { readStore } from '../checker/stored-files.ts';
import { MemoryFiles } from './memory-files.ts';

test('the same calls leave the same files and errors in memory as on the real disk', async (t) => {
  const directory = await temporaryDirectory(t);
  const memory = new MemoryFiles();
  await memory.makeDirectory('/data');

  const onDisk = await script(nodeFileSystem, directory);
  const inMemory = await script(memory, '/data');

  t.deepEqual(inMemory, onDisk);
  t.deepEqual(memory.tree.below('/data'), await readStore({ directory }));
});

/** Some of every call; gives what they answered. */
async function script(files: FileSystem, root: string): Promise<readonly unknown[]> {
  const [first, second] = [join(root, 'first'), join(root, 'd', 'second')];
  const answers: unknown[] = [await failure(files.open(first, 'read'))];
  const file = await files.create(first);
  await file.write(Buffer.from('0123456789'), 0);
  await file.write(Buffer.from('xy'), 12);
  await file.truncate(13);
  const target = Buffer.alloc(20);
  answers.push(await file.read(target, 2), target.toString(), (await file.stat()).bytes);
  answers.push(await failure(files.create(first)), await failure(files.rename(second, first)));
  await files.makeDirectory(join(root, 'd'));
  answers.push(await failure(files.makeDirectory(join(root, 'd'))));
  await files.rename(first, second);
  await file.write(Buffer.from('after'), 1);
  await file.datasync();
  await file.close();
  const gone = await files.create(first);
  await gone.close();
  await files.remove(first);
  await files.syncDirectory(root);
  answers.push(await failure(files.remove(first)), await files.list(root));
  answers.push(await files.list(join(root, 'd')), (await files.stat(second)).bytes);
  return answers;
}

function failure(call: Promise<unknown>): Promise<string | undefined> {
  return call.then(() => 'none', errnoOf);
}
