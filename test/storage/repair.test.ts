import {
  cp,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { repair } from '../../src/cli/repair.ts';
import { DirectoryLock } from '../../src/files/directory-lock.ts';
import { type FileSystem, nodeFileSystem } from '../../src/files/file-system.ts';
import type { PriceRecord } from '../../src/model/price-record.ts';
import { productFile } from '../../src/storage/product-file.ts';
import { repairStore } from '../../src/storage/repair-store.ts';
import { verifyStore } from '../../src/storage/verify.ts';
import {
  contentsOf,
  copyOf,
  crashedDirectory,
  flipBit,
  journalOf,
} from '../support/data-directory.ts';
import { type Call, FaultyFiles } from '../support/faulty-files.ts';
import { encodeAll, price, productId, RecordSource } from '../support/records.ts';
import { checkCleanStore, checkStore, openStorage, RecordedEvents } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const source = new RecordSource();
/** A segment each; the last one is still open in a directory that crashed. */
const runs = [
  [source.batch('a', 'b'), source.batch('a')],
  [source.batch('b', 'c'), source.batch('a', 'd', 'b')],
  [source.batch('c'), source.batch('d'), source.batch('a', 'b')],
];
const whole = encodeAll(runs.flat(2));
const first = 'results/date=2026-11-21/00000000000000000001.ndjson';
const second = 'results/date=2026-11-21/00000000000000000004.ndjson';
const third = 'results/date=2026-11-21/00000000000000000009.ndjson';
const open = `${third}.open`;
const fileOfA = productFile(productId('a'));
const fileOfB = productFile(productId('b'));
const fileOfC = productFile(productId('c'));

interface Fault {
  readonly fault: string;
  readonly crashed?: boolean;
  readonly damage: (directory: string) => Promise<void>;
}

const mendable: readonly Fault[] = [
  {
    fault: 'a bit flipped in a sealed segment',
    damage: (directory) => flipBit(join(directory, first), 30),
  },
  {
    fault: 'a bit flipped in the open segment below its last batch',
    crashed: true,
    damage: (directory) => flipBit(join(directory, open), 30),
  },
  {
    fault: 'a bit flipped in the open segment, while product files lack its good last batch',
    crashed: true,
    damage: async (directory) => {
      await flipBit(join(directory, open), 30);
      for (const product of ['a', 'b']) await forgetFrom(directory, product, 11);
      await unlink(join(directory, 'checkpoint.json'));
    },
  },
  {
    fault: 'an acknowledged last batch that is torn, while product files have it',
    crashed: true,
    damage: async (directory) =>
      truncate(join(directory, open), (await stat(join(directory, open))).size - 9),
  },
  {
    fault: 'a line of the last batch that stands before it as well, while product files lack both',
    crashed: true,
    damage: async (directory) => {
      const path = join(directory, open);
      const lines = (await readFile(path, 'utf8')).split('\n');
      await writeFile(path, lines.toSpliced(-3, 0, lines.at(-2) ?? '').join('\n'));
      for (const product of ['a', 'b']) await forgetFrom(directory, product, 11);
    },
  },
  {
    fault: 'an open segment that is gone',
    crashed: true,
    damage: (directory) => unlink(join(directory, open)),
  },
  {
    fault: 'a sealed segment that is gone',
    damage: (directory) => unlink(join(directory, second)),
  },
  {
    fault: 'all segments gone',
    damage: (directory) => rm(join(directory, 'results'), { recursive: true }),
  },
  {
    fault: 'a sealed segment that is empty',
    damage: (directory) => truncate(join(directory, second), 0),
  },
  {
    fault: 'a sealed segment cut within a line',
    damage: (directory) => truncate(join(directory, second), 70),
  },
  {
    fault: 'two sealed segments exchanged',
    damage: async (directory) => {
      await rename(join(directory, first), join(directory, 'kept'));
      await rename(join(directory, second), join(directory, first));
      await rename(join(directory, 'kept'), join(directory, second));
    },
  },
  {
    fault:
      'the open segment exchanged with a sealed one, while product files lack its last batches',
    crashed: true,
    damage: async (directory) => {
      await rename(join(directory, first), join(directory, 'kept'));
      await rename(join(directory, open), join(directory, first));
      await rename(join(directory, 'kept'), join(directory, open));
      for (const product of ['a', 'b', 'c', 'd']) await forgetFrom(directory, product, 10);
    },
  },
  {
    fault: 'two lines of a sealed segment exchanged',
    damage: async (directory) => {
      const [one, two, ...rest] = (await readFile(join(directory, second), 'utf8')).split('\n');
      await writeFile(join(directory, second), [two, one, ...rest].join('\n'));
    },
  },
  {
    fault: 'a sealed segment of good lines that are not those that were sealed',
    damage: (directory) => writeFile(join(directory, first), encodeAll(changedRun())),
  },
  {
    fault: 'a sealed segment with bytes after its last line',
    damage: async (directory) => {
      const path = join(directory, second);
      await writeFile(path, `${await readFile(path, 'utf8')}more\n`);
    },
  },
  {
    fault: 'a product file and a journal segment damaged at different records',
    damage: async (directory) => {
      await flipBit(join(directory, first), 30);
      await flipBit(join(directory, fileOfC), 30);
    },
  },
  {
    fault: 'a product file and the manifest damaged at once',
    damage: async (directory) => {
      await flipBit(join(directory, 'manifest.ndjson'), 20);
      await flipBit(join(directory, fileOfC), 30);
    },
  },
  {
    fault: 'a second copy of a sealed segment under another date',
    damage: async (directory) => {
      const other = join(directory, 'results/date=2026-11-22');
      await cp(join(directory, 'results/date=2026-11-21'), other, { recursive: true });
    },
  },
  {
    fault: 'a second copy of a sealed segment, and no manifest',
    damage: async (directory) => {
      const copy = join(directory, second.replace('11-21', '11-22'));
      await mkdir(dirname(copy));
      await cp(join(directory, second), copy);
      await unlink(join(directory, 'manifest.ndjson'));
    },
  },
  {
    fault: 'a manifest without a line in its middle',
    damage: (directory) => editManifest(directory, (lines) => lines.toSpliced(1, 1)),
  },
  {
    fault: 'a manifest of which two lines are exchanged',
    damage: (directory) => editManifest(directory, ([one, two, ...rest]) => [two, one, ...rest]),
  },
  {
    fault: 'a manifest with a line twice',
    damage: (directory) => editManifest(directory, ([one, ...rest]) => [one, one, ...rest]),
  },
  {
    fault: 'an acknowledged last batch that is torn, and no checkpoint that knows of it',
    crashed: true,
    damage: async (directory) => {
      await rm(join(directory, 'checkpoint.json'));
      await truncate(join(directory, open), (await stat(join(directory, open))).size - 9);
    },
  },
  {
    fault: 'a sealed segment gone with its line of the manifest and the checkpoint',
    damage: async (directory) => {
      await rm(join(directory, third));
      await rm(join(directory, 'checkpoint.json'));
      await editManifest(directory, (lines) => lines.slice(0, 2));
    },
  },
];

/** Takes the records from `seq` on out of the product's file. */
async function forgetFrom(directory: string, product: string, seq: number): Promise<void> {
  const path = join(directory, productFile(productId(product)));
  const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  const older = lines.filter((line) => Number(/"seq":(\d+)/.exec(line)?.[1]) < seq);
  await writeFile(path, older.map((line) => `${line}\n`).join(''));
}

async function editManifest(
  directory: string,
  edit: (lines: readonly (string | undefined)[]) => readonly (string | undefined)[],
): Promise<void> {
  const path = join(directory, 'manifest.ndjson');
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  await writeFile(path, `${edit(lines).join('\n')}\n`);
}

for (const { fault, crashed = false, damage } of mendable) {
  test(`${fault}: the repair restores every record to the byte, and a start serves them`, async (t) => {
    const directory = await directoryOf(t, crashed);
    await damage(directory);
    t.true((await verifyStore(nodeFileSystem, directory)).damageCount > 0, 'verify finds it');

    const { code, lines } = await repair(nodeFileSystem, directory, true);

    t.is(code, 0, lines.join('\n'));
    t.is(await journalOf(directory), whole);
    await checkCleanStore(t, directory);
    const storage = await openStorage(directory);
    t.is(storage.lastSeq, 12);
    await storage.close();
  });

  test(`${fault}: without --apply the repair says that it can, and changes nothing`, async (t) => {
    const directory = await directoryOf(t, crashed);
    await damage(directory);
    const before = await contentsOf(directory);

    const { code, lines } = await repair(nodeFileSystem, directory, false);

    t.is(code, 0, lines.join('\n'));
    t.regex(lines.join('\n'), /Nothing was changed: "repricer repair --apply" does it/);
    t.deepEqual(await contentsOf(directory), before);
  });
}

test('a repaired segment is said to be the same to the byte as when it was sealed, and what was there is kept', async (t) => {
  const directory = await directoryOf(t, false);
  await flipBit(join(directory, second), 30);
  const damaged = await readFile(join(directory, second), 'latin1');

  const { lines } = await repair(nodeFileSystem, directory, true);

  t.true(
    lines.some((line) =>
      line.includes(`${second}: seq 4 from product files; the same to the byte`),
    ),
  );
  t.is(await readFile(join(directory, `${second}.broken`), 'latin1'), damaged);
});

test('a repair that may not make product files anew names what it has mended all the same', async (t) => {
  const directory = await directoryOf(t, false);
  const [stray] = new RecordSource().batch('a');
  const beyond = stray && encodeAll([{ ...stray, seq: 99, batch: 99 }]);
  await mkdir(join(directory, 'results_by_product/00'), { recursive: true });
  await writeFile(join(directory, 'results_by_product/00/z.ndjson'), beyond ?? '');
  await flipBit(join(directory, second), 30);

  const { code, lines } = await repair(nodeFileSystem, directory, true);

  t.is(code, 65);
  t.regex(lines.join('\n'), /^mended {10}\S+0004\.ndjson: /m);
  t.regex(lines.at(-1) ?? '', /z\.ndjson, offset 0, seq 99: the journal ends with seq 12$/);
});

test('what an earlier repair set aside is never overwritten', async (t) => {
  const directory = await directoryOf(t, false);
  await writeFile(join(directory, `${second}.broken`), 'of an earlier repair');
  await flipBit(join(directory, second), 30);

  await repair(nodeFileSystem, directory, true);

  t.is(await readFile(join(directory, `${second}.broken`), 'utf8'), 'of an earlier repair');
  t.true((await stat(join(directory, `${second}.2.broken`))).size > 0);
});

const hopeless: readonly (Fault & { readonly says: RegExp })[] = [
  {
    fault: 'the same record damaged in both copies',
    damage: async (directory) => {
      await flipBit(join(directory, second), 30);
      await flipBit(
        join(directory, fileOfB),
        encodeAll(runs.flat(2).filter(({ productId: id, seq }) => id === 'b' && seq < 4)).length +
          30,
      );
    },
    says: new RegExp(
      `LOST +${second}, offset 0, seq 4: in no copy.*\\n +perhaps the line at ${fileOfB}, offset \\d+`,
    ),
  },
  {
    fault: 'the last records gone from both copies, though the checkpoint knows of them',
    damage: async (directory) => {
      await unlink(join(directory, 'manifest.ndjson'));
      await unlink(join(directory, third));
      for (const name of ['a', 'b', 'c', 'd']) {
        const own = runs
          .slice(0, 2)
          .flat(2)
          .filter(({ productId: id }) => id === name);
        await writeFile(join(directory, productFile(productId(name))), encodeAll(own));
      }
    },
    says: /LOST +results.*, seq 9 to 12: in no copy/,
  },
  {
    fault: 'a record that was changed in both copies, with a good checksum',
    damage: async (directory) => {
      await writeFile(join(directory, first), encodeAll(changedRun()));
      const ofB = [...changedRun(), ...runs.slice(1).flat(2)].filter(
        ({ productId: id }) => id === 'b',
      );
      const ofBAlone = ofB.map((record) =>
        record.version === 2 ? { ...record, previousPrice: price('7.50') } : record,
      );
      await writeFile(join(directory, fileOfB), encodeAll(ofBAlone));
    },
    says: /LOST +results.*every line is good, but not the sum that the manifest gives/,
  },
  {
    fault: 'a segment with a name that stands within a batch of the one before it',
    damage: async (directory) => {
      await rename(join(directory, second), join(directory, second.replace('4.nd', '2.nd')));
      await unlink(join(directory, 'manifest.ndjson'));
    },
    says: /LOST +results.*00001\.ndjson, offset \d+, seq 2: the batch ends with seq 2/,
  },
  {
    fault: 'two sealed segments that begin with the same seq and are not the same, and no manifest',
    damage: async (directory) => {
      const copy = join(directory, second.replace('11-21', '11-22'));
      await mkdir(dirname(copy));
      await cp(join(directory, second), copy);
      await flipBit(copy, 30);
      await unlink(join(directory, 'manifest.ndjson'));
    },
    says: /LOST +results.*another segment begins with this seq/,
  },
  {
    fault: 'an open segment of which two copies claim the same seqs',
    crashed: true,
    damage: async (directory) => {
      const other = open.replace('11-21', '11-22');
      await cp(join(directory, open), join(directory, other));
    },
    says: /LOST +results.*another segment begins with this seq/,
  },
];

for (const { fault, crashed = false, damage, says } of hopeless) {
  test(`${fault}: the repair says which, changes nothing and ends with 65`, async (t) => {
    const directory = await directoryOf(t, crashed);
    await damage(directory);
    const before = await contentsOf(directory);

    const { code, lines } = await repair(nodeFileSystem, directory, true);

    t.is(code, 65);
    t.regex(lines.join('\n'), says);
    t.deepEqual(withoutLock(await contentsOf(directory)), withoutLock(before));
  });
}

test('damage of the journal is named before that of files made from it', async (t) => {
  const directory = await directoryOf(t, false);
  await flipBit(join(directory, third), 30);
  await flipBit(join(directory, fileOfA), 30);
  await flipBit(join(directory, 'checkpoint.json'), 5);

  const { lines } = await repair(nodeFileSystem, directory, false);

  const found = lines.filter((line) => line.startsWith('found'));
  const isOfJournal = found.map((line) => / (results\/|manifest)/.test(line));
  t.true(isOfJournal[0]);
  t.false(isOfJournal.at(-1));
  t.deepEqual(
    isOfJournal,
    isOfJournal.toSorted((a, b) => Number(b) - Number(a)),
    lines.join('\n'),
  );
});

test('what can be mended is mended beside what cannot', async (t) => {
  const directory = await directoryOf(t, false);
  await flipBit(join(directory, first), 30);
  await flipBit(join(directory, second), 30);
  await unlink(join(directory, fileOfB));

  const { code, lines } = await repair(nodeFileSystem, directory, true);

  t.is(code, 65);
  t.true(
    lines.some((line) => line.startsWith(`mended          ${first}`)),
    lines.join('\n'),
  );
  t.is(await readFile(join(directory, first), 'utf8'), encodeAll(runs[0]?.flat() ?? []));
});

test('a repair of a store without damage changes nothing', async (t) => {
  const directory = await directoryOf(t, false);
  const before = await contentsOf(directory);

  const { code } = await repair(nodeFileSystem, directory, true);

  t.is(code, 0);
  t.deepEqual(withoutLock(await contentsOf(directory)), withoutLock(before));
});

test('a running service keeps a repair out', async (t) => {
  const directory = await directoryOf(t, false);
  const lock = await DirectoryLock.acquire(nodeFileSystem, directory);
  t.teardown(() => lock.release());

  await t.throwsAsync(repair(nodeFileSystem, directory, true), { code: 'DIRECTORY_LOCKED' });
  await t.throwsAsync(repair(nodeFileSystem, directory, false), { code: 'DIRECTORY_LOCKED' });
});

const changing = new Set<Call['operation']>([
  'create',
  'write',
  'datasync',
  'truncate',
  'rename',
  'remove',
  'makeDirectory',
  'syncDirectory',
]);

test('a repair that fails at any of its changes leaves what a second one finishes', async (t) => {
  const damaged = await damagedDirectory(t);
  const changes = (await callsOf(t, damaged)).filter(({ operation }) => changing.has(operation));

  for (const [index, { operation }] of changes.entries()) {
    const directory = await copyOf(t, damaged);
    const after = changes.slice(0, index).filter((call) => call.operation === operation).length;
    const files = new FaultyFiles();
    files.fail(operation, /./, 'EIO', { times: 1, after });

    await t.throwsAsync(apply(files, directory), { code: 'EIO' }, `${operation} ${after}`);

    await finish(t, directory, `${operation} ${after} failed`);
  }
  t.true(changes.length > 20);
});

test('a loss of power at any change of a repair leaves what a second one finishes', async (t) => {
  const damaged = await damagedDirectory(t);
  const changes = (await callsOf(t, damaged)).filter(({ operation }) => changing.has(operation));

  for (const [index, { operation }] of changes.entries()) {
    const directory = await copyOf(t, damaged);
    const count = changes.slice(0, index + 1).filter((call) => call.operation === operation).length;
    const files = new FaultyFiles();
    await losePowerAt(files, operation, count, apply(files, directory));

    await finish(t, directory, `power lost at ${operation} ${count}`);
  }
});

async function directoryOf(t: ExecutionContext, crashed: boolean): Promise<string> {
  const directory = await temporaryDirectory(t);
  for (const batches of crashed ? runs.slice(0, 2) : runs) {
    const storage = await openStorage(directory);
    for (const batch of batches) await storage.append(batch);
    await storage.close();
  }
  if (!crashed) return directory;
  const left = await crashedDirectory(t, runs[2] ?? [], directory);
  // The product files have got as far as they would have a second later.
  await cp(join(directory, 'results_by_product'), join(left, 'results_by_product'), {
    recursive: true,
  });
  return left;
}

/** The records of the first segment, of which the one of product b has another price. */
function changedRun(): readonly PriceRecord[] {
  const records = runs[0]?.flat() ?? [];
  return records.map((record) =>
    record.productId === 'b' ? { ...record, newPrice: price('7.50') } : record,
  );
}

async function damagedDirectory(t: ExecutionContext): Promise<string> {
  const directory = await directoryOf(t, true);
  await flipBit(join(directory, first), 30);
  await flipBit(join(directory, open), 30);
  await flipBit(join(directory, fileOfA), 400);
  return directory;
}

async function callsOf(t: ExecutionContext, damaged: string): Promise<readonly Call[]> {
  const files = new FaultyFiles();
  await apply(files, await copyOf(t, damaged));
  return files.calls();
}

function apply(files: FileSystem, directory: string): Promise<unknown> {
  return repairStore(files, directory, true, new RecordedEvents());
}

/** Loses the power when the call is there for the `count`th time; the work ends with that. */
async function losePowerAt(
  files: FaultyFiles,
  operation: Call['operation'],
  count: number,
  work: Promise<unknown>,
): Promise<void> {
  const ended = work.then(
    () => undefined,
    (error: unknown) => error,
  );
  for (let passed = 1; passed <= count; passed += 1) {
    const hold = files.hold(operation, /./);
    await Promise.race([hold.reached(), ended]);
    if (passed === count) await files.losePower();
    else hold.release();
  }
  await ended;
}

async function finish(t: ExecutionContext, directory: string, when: string): Promise<void> {
  const { lost } = await repairStore(nodeFileSystem, directory, true, new RecordedEvents());
  t.deepEqual(lost, [], when);
  await (await openStorage(directory)).close();
  t.is(await journalOf(directory), whole, when);
  await checkStore(t, directory);
  await rm(directory, { recursive: true });
}

/** Taking the lock makes its file. */
function withoutLock(contents: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(contents).filter(([path]) => !path.endsWith('LOCK')));
}
