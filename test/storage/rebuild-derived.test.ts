import { cp, mkdir, readFile, rm, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { fixDerived } from '../../src/cli/fix-derived.ts';
import { DirectoryLock } from '../../src/files/directory-lock.ts';
import { nodeFileSystem } from '../../src/files/file-system.ts';
import { productFile } from '../../src/storage/product-file.ts';
import { closedDirectory, contentsOf, flipBit } from '../support/data-directory.ts';
import { encodeAll, productId, RecordSource } from '../support/records.ts';
import { checkCleanStore, openStorage } from '../support/store.ts';

const source = new RecordSource();
const batches = [source.batch('a', 'b'), source.batch('a'), source.batch('b', 'c')];
const more = [source.batch('a')];
const segment = 'results/date=2026-11-21/00000000000000000001.ndjson';
const fileOfA = productFile(productId('a'));
const stale = productFile(productId('stale'));

const faults: readonly {
  readonly fault: string;
  readonly damage: (directory: string) => Promise<void>;
  readonly isSetAside?: string;
}[] = [
  {
    fault: 'a product file with a bit flipped',
    damage: (directory) => flipBit(join(directory, fileOfA), 30),
    isSetAside: fileOfA,
  },
  {
    fault: 'product files that are gone',
    damage: (directory) => rm(join(directory, 'results_by_product'), { recursive: true }),
  },
  {
    fault: 'a product file that the journal does not know',
    damage: async (directory) => {
      const [record] = new RecordSource().batch('stale');
      await mkdir(join(directory, dirname(stale)), { recursive: true });
      await writeFile(join(directory, stale), record === undefined ? '' : encodeAll([record]));
    },
    isSetAside: stale,
  },
  {
    fault: 'a checkpoint that is damaged',
    damage: (directory) => flipBit(join(directory, 'checkpoint.json'), 7),
  },
  {
    fault: 'a manifest with a bad line before its last',
    damage: (directory) => flipBit(join(directory, 'manifest.ndjson'), 100),
    isSetAside: 'manifest.ndjson',
  },
  {
    fault: 'a manifest without its first line',
    damage: async (directory) => {
      const path = join(directory, 'manifest.ndjson');
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.slice(text.indexOf('\n') + 1));
    },
    isSetAside: 'manifest.ndjson',
  },
  {
    fault: 'a manifest that is missing',
    damage: (directory) => unlink(join(directory, 'manifest.ndjson')),
  },
];

for (const { fault, damage, isSetAside } of faults) {
  test(`${fault}: made anew from the journal, the same to the byte`, async (t) => {
    const directory = await twoSegments(await closedDirectory(t, batches));
    const before = await contentsOf(directory);
    await damage(directory);

    const { code } = await fixDerived(nodeFileSystem, directory);

    t.is(code, 0);
    t.like(await contentsOf(directory), before);
    if (isSetAside !== undefined)
      t.true((await stat(join(directory, `${isSetAside}.broken`))).size > 0);
    await checkCleanStore(t, directory);
  });
}

const refusals: readonly {
  readonly fault: string;
  readonly damage: (directory: string) => Promise<void>;
}[] = [
  {
    fault: 'a bit flipped in the journal',
    damage: (directory) => flipBit(join(directory, segment), 30),
  },
  {
    fault: 'a journal that ends before what a product file holds',
    damage: async (directory) => {
      for (const file of ['manifest.ndjson', 'checkpoint.json'])
        await unlink(join(directory, file));
      await truncate(join(directory, segment), encodeAll(batches[0] ?? []).length);
      await unlink(join(directory, 'results/date=2026-11-21/00000000000000000006.ndjson'));
    },
  },
  {
    fault: 'a second copy of a sealed segment',
    damage: async (directory) => {
      const other = join(directory, 'results/date=2026-11-22');
      await cp(join(directory, 'results/date=2026-11-21'), other, { recursive: true });
    },
  },
];

for (const { fault, damage } of refusals) {
  test(`${fault}: nothing is made from such a journal, nothing changes, and repair is named`, async (t) => {
    const directory = await twoSegments(await closedDirectory(t, batches));
    await damage(directory);
    const lock = await DirectoryLock.acquire(nodeFileSystem, directory);
    await lock.release();
    const before = await contentsOf(directory);

    const error = await t.throwsAsync(fixDerived(nodeFileSystem, directory), {
      code: 'JOURNAL_DAMAGED',
    });

    t.regex(error.message, /nothing was made from it; "repricer repair"/);
    t.deepEqual(await contentsOf(directory), before);
  });
}

async function twoSegments(directory: string): Promise<string> {
  const storage = await openStorage(directory);
  for (const batch of more) await storage.append(batch);
  await storage.close();
  return directory;
}
