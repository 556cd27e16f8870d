import { join } from 'node:path';
import test from 'ava';
import { nodeFileSystem } from '../../../src/files/file-system.ts';
import { readCheckpoint } from '../../../src/storage/checkpoint.ts';
import { verifyStore } from '../../../src/storage/verify.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { makeStore } from './make-store.ts';

for (const size of [
  { records: 5000, products: 70 },
  { records: 2001, products: 1 },
  { records: 2, products: 1 },
]) {
  test(`a made store of ${size.records} records is whole in every rule of the format`, async (t) => {
    const directory = join(await temporaryDirectory(t), 'store');

    await makeStore(directory, size);

    const report = await verifyStore(nodeFileSystem, directory);
    t.deepEqual([report.damages, report.notes], [[], []]);
    t.is(report.records, size.records);
    t.is(report.products, size.products + 1);
    const checkpoint = await readCheckpoint(nodeFileSystem, directory);
    t.like(checkpoint, { seq: size.records, products: size.products + 1 });
  });
}
