import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { nodeFileSystem } from '../../src/files/file-system.ts';
import { readKeyedRecords } from '../../src/storage/keyed-records.ts';
import { readManifest } from '../../src/storage/manifest.ts';
import { linesOfProduct } from '../../src/storage/product-lines.ts';
import { closedDirectory } from '../support/data-directory.ts';
import { noon, productId, RecordSource } from '../support/records.ts';

for (const [what, rotted, instead] of [
  ['price', '.50', '9'],
  ['product', '"productId"', '#'],
  ['key', ',"idempotencyKey"', ';'],
] as const) {
  test(`whoever reads a line of a checked segment of which the ${what} has rotted is told its file, offset and seq`, async (t) => {
    const records = new RecordSource().batch('a', 'b', 'a', 'b', 'a');
    const keyed = records.map((record) => ({ ...record, idempotencyKey: `k${record.seq}` }));
    const directory = await closedDirectory(t, [keyed]);
    const { segments } = await readManifest(nodeFileSystem, directory);
    const { file = '' } = segments[0] ?? {};
    const bytes = await readFile(join(directory, file));
    const offset = bytes.indexOf('{"seq":4,');
    bytes.write(instead, bytes.indexOf(rotted, offset));
    await writeFile(join(directory, file), bytes);

    const reads = {
      keys: () => readKeyedRecords(nodeFileSystem, directory, segments, noon, 10),
      product: async () => {
        const id = productId('b');
        const lines = linesOfProduct(nodeFileSystem, directory, segments, id, 10, 10);
        for await (const _ of lines);
      },
    };

    for (const read of Object.values(reads)) {
      const error = await t.throwsAsync(read);
      t.like(error, { code: 'JOURNAL_DAMAGED' });
      t.true(error?.message.includes(`${file}, offset ${offset}, seq 4: `), error?.message);
    }
  });
}
