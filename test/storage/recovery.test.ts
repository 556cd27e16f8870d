import { cp, mkdir, readFile, rm, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { nodeFileSystem } from '../../src/files/file-system.ts';
import { productFile } from '../../src/storage/product-file.ts';
import {
  type RecoveryCase,
  type RefusedCase,
  recoveryCases,
} from '../../src/storage/recovery-case.ts';
import { verifyStore } from '../../src/storage/verify.ts';
import {
  brokenTailOf,
  closedDirectory,
  contentsOf,
  copyOf,
  crashedDirectory,
  flipBit,
  journalOf,
  recover,
  unaggregatedDirectory,
} from '../support/data-directory.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { projectRoot } from '../support/project-root.ts';
import { encodeAll, price, productId, RecordSource } from '../support/records.ts';
import { checkCleanStore, checkStore, openStorage, RecordedEvents } from '../support/store.ts';

/*
 * Each test is a row of the table in docs/recovery.md, by its label in storage/recovery-case.ts: a way in which a
 * directory may have been left, and what a start makes of it.
 */

const segment = 'results/date=2026-11-21/00000000000000000001.ndjson';
const openSegment = `${segment}.open`;

test('the journal cut at any byte of its last two batches keeps exactly the lines of its whole batches', async (t) => {
  const source = new RecordSource();
  const batches = [source.batch('a'), source.batch('b', 'a', 'c'), source.batch('a', 'b', 'd')];
  const crashed = await unaggregatedDirectory(t, batches);
  const bytes = (await stat(join(crashed, openSegment))).size;
  const [first = '', second = '', third = ''] = batches.map(encodeAll);

  for (let cut = first.length; cut < bytes; cut += 1) {
    const directory = await copyOf(t, crashed);
    await truncate(join(directory, openSegment), cut);

    const events = await recover(directory);

    const kept = cut < first.length + second.length ? first : first + second;
    t.is(await journalOf(directory), kept, `cut at ${cut}`);
    const torn = cut - kept.length;
    t.is(events.of('tornTailCut').length, torn > 0 ? 1 : 0);
    t.is((await brokenTailOf(directory)).length, torn, 'what was cut is kept aside');
    await checkCleanStore(t, directory);
    await rm(directory, { recursive: true });
  }
  t.is((first + second + third).length, bytes);
});

test('a crash after a sync loses nothing: all batches are there, in the journal and in product files', async (t) => {
  const source = new RecordSource();
  const batches = [source.batch('a'), source.batch('b', 'a'), source.batch('a', 'c')];
  const directory = await crashedDirectory(t, batches);

  await recover(directory);

  t.is(await journalOf(directory), batches.map(encodeAll).join(''));
  const records = batches.flat();
  for (const name of ['a', 'b', 'c']) {
    const own = records.filter((record) => record.productId === name);
    t.is(await readFile(join(directory, productFile(productId(name))), 'utf8'), encodeAll(own));
  }
  await checkCleanStore(t, directory);
});

test('a second recovery changes nothing', async (t) => {
  const source = new RecordSource();
  const directory = await unaggregatedDirectory(t, [source.batch('a', 'b'), source.batch('a')]);
  await truncate(join(directory, openSegment), 400);
  await recover(directory);
  const before = await contentsOf(directory);

  const events = await recover(directory);

  t.deepEqual(await contentsOf(directory), before);
  t.deepEqual(events.of('derivedFileRebuilt'), []);
});

test('an open segment in which no batch was finished is put aside and removed', async (t) => {
  const directory = await unaggregatedDirectory(t, [new RecordSource().batch('a', 'b')]);
  await truncate(join(directory, openSegment), 100);

  await recover(directory);

  t.is(await journalOf(directory), '');
  t.is((await brokenTailOf(directory)).length, 100);
  await checkCleanStore(t, directory);
});

const source = new RecordSource();
const threeBatches = [source.batch('a', 'b'), source.batch('a'), source.batch('b', 'c')];
const fourthBatch = source.batch('d');
const lengths = threeBatches.map((batch) => encodeAll(batch).length);
const [firstBytes = 0, secondBytes = 0] = lengths;

const openFourth = 'results/date=2026-11-21/00000000000000000004.ndjson.open';

interface Refusal {
  readonly label: RefusedCase;
  readonly fault: string;
  readonly sealed: boolean;
  readonly damage: (directory: string) => Promise<void>;
  /** What the message must name: file, offset and seq. */
  readonly names: RegExp;
}

const refusals: readonly Refusal[] = [
  {
    label: 'bad-line-below-tail',
    fault: 'a bit flipped in the open segment below its last batch',
    sealed: false,
    damage: (directory) => flipBit(join(directory, openSegment), 20),
    names: /00001\.ndjson\.open, offset 0, seq 1: /,
  },
  {
    label: 'bad-line-below-tail',
    fault: 'a bit flipped in a batch of one record before the last batch',
    sealed: false,
    damage: (directory) => flipBit(join(directory, openSegment), firstBytes + 20),
    names: new RegExp(`\\.open, offset ${firstBytes}, seq 3: `),
  },
  {
    label: 'bad-line-below-tail',
    fault: 'a batch missing from the middle of the open segment',
    sealed: false,
    damage: async (directory) => {
      const path = join(directory, openSegment);
      const bytes = await readFile(path);
      const rest = [bytes.subarray(0, firstBytes), bytes.subarray(firstBytes + secondBytes)];
      await writeFile(path, Buffer.concat(rest));
    },
    names: new RegExp(`\\.open, offset ${firstBytes}, seq 3: `),
  },
  {
    label: 'bad-line-below-tail',
    fault: 'a line of the last batch that stands before it as well',
    sealed: false,
    damage: async (directory) => {
      const path = join(directory, openSegment);
      const bytes = await readFile(path);
      const lastLine = bytes.subarray(bytes.lastIndexOf('\n', bytes.length - 2) + 1);
      const last = firstBytes + secondBytes;
      const parts = [bytes.subarray(0, last), lastLine, bytes.subarray(last)];
      await writeFile(path, Buffer.concat(parts));
    },
    names: new RegExp(`\\.open, offset ${firstBytes + secondBytes}, seq 4: `),
  },
  {
    label: 'sealed-bad-line',
    fault: 'a bit flipped in a sealed segment',
    sealed: true,
    damage: (directory) => flipBit(join(directory, segment), firstBytes + 20),
    names: new RegExp(`00001\\.ndjson, offset ${firstBytes}, seq 3: `),
  },
  {
    label: 'sealed-bad-line',
    fault: 'a bit flipped in the last batch of a sealed segment',
    sealed: true,
    damage: (directory) => flipBit(join(directory, segment), firstBytes + secondBytes + 20),
    names: new RegExp(`00001\\.ndjson, offset ${firstBytes + secondBytes}, seq 4: `),
  },
  {
    label: 'sealed-size',
    fault: 'a sealed segment cut between two batches',
    sealed: true,
    damage: (directory) => truncate(join(directory, segment), firstBytes),
    names: new RegExp(`00001\\.ndjson, offset ${firstBytes}, seq 1: it has ${firstBytes} bytes`),
  },
  {
    label: 'sealed-missing',
    fault: 'a sealed segment that is gone',
    sealed: true,
    damage: (directory) => unlink(join(directory, segment)),
    names: /00001\.ndjson, offset 0, seq 1: the sealed segment is missing/,
  },
  {
    label: 'sealed-twice',
    fault: 'a second copy of a sealed segment under another date',
    sealed: true,
    damage: (directory) =>
      cp(join(directory, 'results/date=2026-11-21'), join(directory, 'results/date=2026-11-22'), {
        recursive: true,
      }),
    names: /date=2026-11-22\/0+1\.ndjson, offset 0, seq 1: there are two segments/,
  },
  {
    label: 'checkpoint-beyond-journal',
    fault: 'a journal that ends before the checkpoint',
    sealed: true,
    damage: async (directory) => {
      await unlink(join(directory, 'manifest.ndjson'));
      await truncate(join(directory, segment), firstBytes);
    },
    names: /results, offset 0, seq 3: .*the checkpoint says that seq 5 was on disk/,
  },
  {
    label: 'gap-in-seq',
    fault: 'a gap between the sealed segments and the open one',
    sealed: true,
    damage: async (directory) => {
      const path = join(directory, 'results/date=2026-11-21/00000000000000000009.ndjson.open');
      await writeFile(path, '');
    },
    names: /0+9\.ndjson\.open, offset 0, seq 9: the segments before it end with seq 5/,
  },
  {
    label: 'manifest-bad-line',
    fault: 'a bit flipped in the manifest before its last line',
    sealed: true,
    damage: async (directory) => {
      await appendFourth(directory);
      await flipBit(join(directory, 'manifest.ndjson'), 100);
    },
    names: /manifest\.ndjson, offset 0, seq 1: a line of the manifest is damaged/,
  },
  {
    label: 'manifest-gap',
    fault: 'a manifest without its first line',
    sealed: true,
    damage: async (directory) => {
      await appendFourth(directory);
      const path = join(directory, 'manifest.ndjson');
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.slice(text.indexOf('\n') + 1));
    },
    names: /0+6\.ndjson, offset 0, seq 6: seq 1 should come next/,
  },
  {
    label: 'sealed-sum',
    fault: 'a sealed segment of good lines that are not those that were sealed',
    sealed: true,
    damage: async (directory) => {
      const [record, ...others] = threeBatches.flat();
      const changed = record === undefined ? [] : [{ ...record, newPrice: price('7.50') }];
      await writeFile(join(directory, segment), encodeAll([...changed, ...others]));
    },
    names: /0+1\.ndjson, offset 0, seq 1: its sum is not the one that the manifest gives/,
  },
  {
    label: 'sealed-empty',
    fault: 'a sealed segment without a line that the manifest does not list',
    sealed: true,
    damage: (directory) =>
      writeFile(join(directory, 'results/date=2026-11-21/00000000000000000006.ndjson'), ''),
    names: /0+6\.ndjson, offset 0, seq 6: a sealed segment without a record/,
  },
  {
    label: 'sealed-stray',
    fault: 'a sealed segment among the listed ones that the manifest does not list',
    sealed: true,
    damage: (directory) =>
      writeFile(join(directory, 'results/date=2026-11-21/00000000000000000003.ndjson'), ''),
    names: /0+3\.ndjson, offset 0, seq 3: the manifest lists no segment/,
  },
  {
    label: 'two-open-segments',
    fault: 'a second open segment',
    sealed: false,
    damage: (directory) => writeFile(join(directory, openFourth), ''),
    names: /0+4\.ndjson\.open, offset 0, seq 4: there is more than one open segment/,
  },
  {
    label: 'product-beyond-torn-tail',
    fault: 'a torn last batch that was acknowledged, as a product file holds a record of it',
    sealed: false,
    damage: async (directory) => {
      await truncate(join(directory, openSegment), firstBytes + secondBytes + 10);
      const path = join(directory, productFile(productId('c')));
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, encodeAll(threeBatches.flat().slice(4)));
    },
    names: /\.ndjson\.open, offset \d+, seq 4: .*results_by_product.* holds seq 5/,
  },
  {
    label: 'product-beyond-journal',
    fault: 'an older journal under newer product files, and no checkpoint',
    sealed: true,
    damage: async (directory) => {
      await unlink(join(directory, 'manifest.ndjson'));
      await unlink(join(directory, 'checkpoint.json'));
      await truncate(join(directory, segment), firstBytes);
    },
    names: /results, offset 0, seq 3: .*results_by_product.* holds seq [345]/,
  },
  {
    label: 'product-beyond-journal',
    fault: 'no journal at all, and no checkpoint, beside product files',
    sealed: true,
    damage: async (directory) => {
      await unlink(join(directory, 'manifest.ndjson'));
      await unlink(join(directory, 'checkpoint.json'));
      await rm(join(directory, 'results'), { recursive: true });
    },
    names: /results, offset 0, seq 1: .*results_by_product.* holds seq \d/,
  },
];

for (const { label, fault, sealed, damage, names } of refusals) {
  test(`${label}, ${fault}: the start is refused, says where, and changes nothing`, async (t) => {
    const directory = sealed
      ? await closedDirectory(t, threeBatches)
      : await crashedDirectory(t, threeBatches);
    await damage(directory);
    const before = await contentsOf(directory);

    const error = await t.throwsAsync(openStorage(directory), { code: 'JOURNAL_DAMAGED' });

    t.regex(error.message, names);
    t.like(error, { label });
    t.true(error.message.startsWith(`${label}: `));
    t.deepEqual(await contentsOf(directory), before);
  });
}

interface Rebuild {
  readonly label: RecoveryCase;
  readonly fault: string;
  readonly damage: (directory: string) => Promise<void>;
}

const rebuilds: readonly Rebuild[] = [
  {
    label: 'checkpoint-missing',
    fault: 'a checkpoint that is missing',
    damage: (directory) => unlink(join(directory, 'checkpoint.json')),
  },
  {
    label: 'checkpoint-damaged',
    fault: 'a checkpoint with a bit flipped',
    damage: (directory) => flipBit(join(directory, 'checkpoint.json'), 7),
  },
  {
    label: 'checkpoint-damaged',
    fault: 'a checkpoint that is empty',
    damage: (directory) => truncate(join(directory, 'checkpoint.json'), 0),
  },
  {
    label: 'product-files-missing',
    fault: 'product files that are all missing',
    damage: (directory) => rm(join(directory, 'results_by_product'), { recursive: true }),
  },
  {
    label: 'product-files-changed',
    fault: 'a product file that was removed after a clean stop',
    damage: (directory) => unlink(join(directory, productFile(productId('a')))),
  },
  {
    label: 'checkpoint-missing',
    fault: 'a product file with a bit flipped, and no checkpoint',
    damage: async (directory) => {
      await unlink(join(directory, 'checkpoint.json'));
      await flipBit(join(directory, productFile(productId('a'))), 30);
    },
  },
  {
    label: 'manifest-torn-line',
    fault: 'a last line of the manifest with a bit flipped',
    damage: (directory) => flipBit(join(directory, 'manifest.ndjson'), 100),
  },
  {
    label: 'manifest-torn-line',
    fault: 'a last line of the manifest that is torn',
    damage: (directory) => truncate(join(directory, 'manifest.ndjson'), 50),
  },
  {
    label: 'sealed-unlisted',
    fault: 'a manifest that is missing, as before its first line was durable',
    damage: (directory) => unlink(join(directory, 'manifest.ndjson')),
  },
  {
    label: 'interrupted-replacement',
    fault: 'what an interrupted replacement left',
    damage: (directory) => writeFile(join(directory, `${openSegment}.tmp`), 'half of'),
  },
];

for (const { label, fault, damage } of rebuilds) {
  test(`${label}, ${fault}: made anew from the journal, the same to the byte`, async (t) => {
    const directory = await closedDirectory(t, threeBatches);
    const before = await contentsOf(directory);
    await damage(directory);

    const events = await recover(directory);

    t.deepEqual(await contentsOf(directory), before);
    const rebuilt = events.of('derivedFileRebuilt').map(([, reported]) => reported);
    t.deepEqual(rebuilt, recoveryCases[label] === 'rebuilt' ? [label] : []);
    await checkCleanStore(t, directory);
  });
}

/** What an unclean stop leaves, or is found later: the event's label, when there is one. */
const unclean: readonly Rebuild[] = [
  {
    label: 'torn-tail',
    fault: 'a last batch of which only a part was written',
    damage: async (directory) => {
      await truncate(join(directory, openFourth), 10);
      // Nothing of it had got into product files yet.
      await rm(join(directory, productFile(productId('c'))), { force: true });
      const own = threeBatches
        .slice(0, 2)
        .flat()
        .filter(({ productId: id }) => id === 'b');
      await writeFile(join(directory, productFile(productId('b'))), encodeAll(own));
    },
  },
  {
    label: 'not-sealed',
    fault: 'a segment that no stop has sealed',
    damage: async () => {},
  },
  {
    label: 'product-torn-tail',
    fault: 'a product file that ends within a line past the checkpoint',
    damage: async (directory) => {
      const path = join(directory, productFile(productId('b')));
      const own = threeBatches.flat().filter(({ productId: id }) => id === 'b');
      await writeFile(path, encodeAll(own).slice(0, -9));
    },
  },
  {
    label: 'product-lacks-version',
    fault: 'a product file without what the checkpoint promises',
    damage: (directory) => truncate(join(directory, productFile(productId('b'))), 0),
  },
  {
    label: 'product-files-fewer',
    fault: 'a product file that is gone, of a product without a later record',
    damage: (directory) => unlink(join(directory, productFile(productId('a')))),
  },
];

for (const { label, fault, damage } of unclean) {
  test(`${label}, ${fault}: the start goes on with a clean store`, async (t) => {
    const directory = await closedDirectory(t, threeBatches.slice(0, 2));
    const crashed = await crashedDirectory(t, threeBatches.slice(2), directory);
    await damage(crashed);

    const events = await recover(crashed);

    const rebuilt = events.of('derivedFileRebuilt').map(([, reported]) => reported);
    // A cut tail may also leave nothing past the checkpoint, and then files that came after it are made anew.
    if (label !== 'torn-tail') {
      t.deepEqual(rebuilt, recoveryCases[label] === 'rebuilt' ? [label] : []);
    }
    t.is(events.of('tornTailCut').length, recoveryCases[label] === 'cut' ? 1 : 0);
    await checkCleanStore(t, crashed);
  });
}

test('every case of the code has a fixture here and a row in docs/recovery.md, and no other has', async (t) => {
  const tested = [...refusals, ...rebuilds, ...unclean].map(({ label }) => label);
  const text = await readFile(join(await projectRoot(), 'docs', 'recovery.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z-]+)` \|.*\| ([a-z]+)[^|]*\|$/gm)];

  const documented: Record<string, unknown> = Object.fromEntries(
    rows.map(([, label = '', outcome]) => [label, outcome]),
  );

  t.deepEqual(documented, { ...recoveryCases });
  t.deepEqual(
    [...new Set([...tested, 'product-damaged'])].sort(),
    Object.keys(recoveryCases).sort(),
  );
});

test('product-damaged: a product file with a bit flipped is met by a reader, refused, rebuilt, and then read', async (t) => {
  const directory = await closedDirectory(t, threeBatches);
  await flipBit(join(directory, productFile(productId('a'))), 30);
  const events = new RecordedEvents();
  const storage = await openStorage(directory, { events });

  const read = async () => (await storage.productRecords(productId('a'))).slice(0, 2);
  await t.throwsAsync(read(), { code: 'PRODUCT_FILE_DAMAGED' });
  await storage.close();

  t.is(events.of('derivedFileRebuilt')[0]?.[1], 'product-damaged');
  await checkCleanStore(t, directory);
});

test('a product file that was cut between two lines while nobody served it is not built upon', async (t) => {
  const directory = await closedDirectory(t, threeBatches);
  const path = join(directory, productFile(productId('a')));
  await truncate(path, (await readFile(path)).indexOf('\n') + 1);
  const storage = await openStorage(directory);

  await t.throwsAsync(storage.lastRecord(productId('a')), { code: 'PRODUCT_FILE_DAMAGED' });
  await storage.close();

  await checkCleanStore(t, directory);
});

test('a product file that vanished after an unclean stop is made anew before it is built upon', async (t) => {
  const [first = [], second = [], third = []] = threeBatches;
  const closed = await closedDirectory(t, [first, second]);
  const crashed = await crashedDirectory(t, [third], closed);
  await unlink(join(crashed, productFile(productId('a'))));

  const storage = await openStorage(crashed);

  t.is((await storage.lastRecord(productId('a')))?.version, 2);
  await storage.close();
  await checkCleanStore(t, crashed);
});

test('a product file of which an old version was put back after an unclean stop is not built upon', async (t) => {
  const [first = [], second = [], third = []] = threeBatches;
  const closed = await closedDirectory(t, [first, second]);
  const crashed = await crashedDirectory(t, [third], closed);
  const path = join(crashed, productFile(productId('a')));
  await truncate(path, (await readFile(path)).indexOf('\n') + 1);
  const storage = await openStorage(crashed);

  await t.throwsAsync(storage.lastRecord(productId('a')), { code: 'PRODUCT_FILE_DAMAGED' });
  await storage.close();

  await checkCleanStore(t, crashed);
});

test('a product file with records past the end of the journal is not read, not built upon, and kept', async (t) => {
  const [first = [], second = [], third = []] = threeBatches;
  const directory = await closedDirectory(t, [first, second, third]);
  const older = await closedDirectory(t, [first]);
  await rm(join(directory, 'results'), { recursive: true });
  for (const name of ['results', 'manifest.ndjson', 'checkpoint.json']) {
    await cp(join(older, name), join(directory, name), { recursive: true });
  }
  const path = join(directory, productFile(productId('a')));
  const before = await readFile(path, 'utf8');
  const storage = await openStorage(directory);

  await t.throwsAsync(storage.lastRecord(productId('a')), { code: 'JOURNAL_DAMAGED' });
  await storage.close();

  t.is(await readFile(path, 'utf8'), before);
});

test('an interrupted rebuild of product files is not believed', async (t) => {
  const [first = [], second = [], third = []] = threeBatches;
  const closed = await closedDirectory(t, [first, second]);
  const crashed = await crashedDirectory(t, [third], closed);
  await rm(join(crashed, 'results_by_product'), { recursive: true });
  const files = new FaultyFiles();
  files.fail('write', /results_by_product/, 'EIO', { after: 1 });
  await t.throwsAsync(openStorage(crashed, { files }), { code: 'EIO' });

  await recover(crashed);

  await checkCleanStore(t, crashed);
});

test('a product file whose last line is damaged is never built upon', async (t) => {
  const directory = await closedDirectory(t, threeBatches);
  const path = join(directory, productFile(productId('a')));
  await truncate(path, (await stat(path)).size - 1);
  const storage = await openStorage(directory);

  await t.throwsAsync(storage.lastRecord(productId('a')), { code: 'PRODUCT_FILE_DAMAGED' });
  await storage.close();

  await checkCleanStore(t, directory);
});

test('the open segment is replaced only by a copy that was read and found good', async (t) => {
  const directory = await crashedDirectory(t, threeBatches);
  const before = await readFile(join(directory, openSegment), 'utf8');
  const files = new FaultyFiles();
  files.fail('read', /\.open\.tmp$/, 'EIO');

  await t.throwsAsync(openStorage(directory, { files }), { code: 'EIO' });

  t.is(files.calls('rename', /\.open/).length, 0);
  t.is(await readFile(join(directory, openSegment), 'utf8'), before);
});

test('of files that end with .tmp a start removes those that are its own, and no other', async (t) => {
  const closed = await closedDirectory(t, threeBatches.slice(0, 2));
  const directory = await crashedDirectory(t, threeBatches.slice(2), closed);
  const fileOfA = productFile(productId('a'));
  const own = [`${openFourth}.tmp`, `${segment}.broken.tmp`, `${fileOfA}.tmp`];
  const foreign = [join(dirname(segment), 'export.tmp'), join(dirname(fileOfA), 'a.csv.tmp')];
  for (const name of [...own, ...foreign]) await writeFile(join(directory, name), 'half of');

  await recover(directory);

  const left = Object.keys(await contentsOf(directory)).filter((path) => path.endsWith('.tmp'));
  t.deepEqual(left, foreign.map((name) => join(directory, name)).sort());
});

test('timestamps and seq go on from where the journal ends', async (t) => {
  const directory = await crashedDirectory(t, threeBatches);

  const storage = await openStorage(directory);

  t.is(storage.lastSeq, 5);
  t.is(storage.lastTimestamp, threeBatches.flat().at(-1)?.timestamp);
  await storage.close();
});

test('a product file torn at any byte past the checkpoint is completed', async (t) => {
  const [first = [], ...later] = threeBatches;
  const crashed = await crashedDirectory(t, later, await closedDirectory(t, [first]));
  const file = productFile(productId('a'));
  const own = threeBatches.flat().filter((record) => record.productId === 'a');
  const whole = encodeAll(own);

  for (let cut = encodeAll(own.slice(0, 1)).length; cut <= whole.length; cut += 1) {
    const directory = await copyOf(t, crashed);
    const garbage = cut === whole.length ? '' : '\0'.repeat(20);
    await writeFile(join(directory, file), whole.slice(0, cut) + garbage);

    const events = await recover(directory);

    t.is(await readFile(join(directory, file), 'utf8'), whole, `cut at ${cut}`);
    t.deepEqual(events.of('derivedFileRebuilt'), []);
    await checkCleanStore(t, directory);
    await rm(directory, { recursive: true });
  }
});

test('a product file that lacks what the checkpoint promises is rebuilt from the journal', async (t) => {
  const [first = [], ...later] = threeBatches;
  const directory = await crashedDirectory(t, later, await closedDirectory(t, [first]));
  await rm(join(directory, productFile(productId('a'))));

  const events = await recover(directory);

  t.is(events.of('derivedFileRebuilt').length, 1);
  await checkCleanStore(t, directory);
});

test('verify calls what an unclean stop left no damage, and what the next start refuses damage', async (t) => {
  const directory = await unaggregatedDirectory(t, threeBatches);
  await truncate(join(directory, openSegment), firstBytes + secondBytes + 10);

  const torn = await checkStore(t, directory);
  await flipBit(join(directory, openSegment), 20);
  const { damages } = await verifyStore(nodeFileSystem, directory);

  t.true(torn.notes.some((note) => note.includes('a torn tail of 10 bytes')));
  t.is(damages[0]?.file, openSegment);
  t.is(damages[0]?.offset, 0);
  t.is(damages[0]?.seq, 1);
});

async function appendFourth(directory: string): Promise<void> {
  const storage = await openStorage(directory);
  await storage.append(fourthBatch);
  await storage.close();
}
