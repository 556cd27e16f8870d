import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { nodeFileSystem } from '../../src/files/file-system.ts';
import { checkBackup, makeBackup, readBackup, refuseFull } from '../../src/storage/backup.ts';
import { copySnapshot } from '../../src/storage/copy-snapshot.ts';
import type { FileStorage } from '../../src/storage/file-storage.ts';
import { closedDirectory, flipBit, journalOf } from '../support/data-directory.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { encodeAll, RecordSource } from '../support/records.ts';
import { checkCleanStore, checkStore, openStorage } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const quiet = () => {};
const first = 'results/date=2026-11-21/00000000000000000001.ndjson';

/** A store of three segments, the last one open, and a backup of it. */
async function backedUp(t: ExecutionContext) {
  const source = new RecordSource();
  const directory = await temporaryDirectory(t);
  const storage = await openStorage(directory);
  t.teardown(() => storage.close());
  const text = await appendSegments(storage, source, 3);
  const backup = join(await temporaryDirectory(t), 'new', 'backup');
  const snapshot = await storage.snapshot();
  await makeBackup(nodeFileSystem, directory, backup, snapshot, quiet);
  return { source, directory, storage, backup, snapshot, text };
}

/** Appends a batch to each of so many segments, and leaves the last one open; gives all lines. */
async function appendSegments(
  storage: FileStorage,
  source: RecordSource,
  count: number,
): Promise<string> {
  let text = '';
  for (let number = 0; number < count; number += 1) {
    if (storage.lastSeq > 0) await storage.seal();
    const batch = source.batch('a', 'b');
    await storage.append(batch);
    text += encodeAll(batch);
  }
  return text;
}

async function restored(t: ExecutionContext, backup: string): Promise<string> {
  const directory = join(await temporaryDirectory(t), 'restored');
  const snapshot = await readBackup(nodeFileSystem, backup);
  await checkBackup(nodeFileSystem, backup, snapshot, quiet);
  await copySnapshot(nodeFileSystem, backup, directory, snapshot, quiet);
  return directory;
}

test('what is restored is byte for byte the journal at the snapshot, and a start makes the rest', async (t) => {
  const { backup, snapshot, text } = await backedUp(t);

  const directory = await restored(t, backup);

  t.is(await journalOf(directory), text);
  t.is((await checkStore(t, directory)).records, snapshot.seq);
  const storage = await openStorage(directory);
  t.is(storage.lastSeq, snapshot.seq);
  await storage.close();
  await checkCleanStore(t, directory);
});

test('an empty store is backed up and restored', async (t) => {
  const storage = await openStorage(await temporaryDirectory(t));
  const backup = await temporaryDirectory(t);
  await makeBackup(nodeFileSystem, 'unused', backup, await storage.snapshot(), quiet);

  const directory = await restored(t, backup);

  t.is((await checkStore(t, directory)).records, 0);
  await storage.close();
});

test('a backup has the snapshot although its open segment was sealed, and more was written, before it was copied', async (t) => {
  const source = new RecordSource();
  const directory = await temporaryDirectory(t);
  const storage = await openStorage(directory);
  const text = await appendSegments(storage, source, 2);
  const snapshot = await storage.snapshot();
  await storage.append(source.batch('a'));
  await appendSegments(storage, source, 2);
  await storage.flush();
  const backup = await temporaryDirectory(t);

  await makeBackup(nodeFileSystem, directory, backup, snapshot, quiet);

  t.is(await journalOf(await restored(t, backup)), text);
  await storage.close();
});

test('a segment that is sealed between the looks for its two names is found', async (t) => {
  const source = new RecordSource();
  const directory = await temporaryDirectory(t);
  const storage = await openStorage(directory);
  const text = await appendSegments(storage, source, 1);
  const snapshot = await storage.snapshot();
  const files = new FaultyFiles();
  const hold = files.hold('open', /\.ndjson\.open$/);
  const backup = await temporaryDirectory(t);

  const copying = makeBackup(files, directory, backup, snapshot, quiet);
  await hold.reached();
  await storage.seal();
  hold.release();
  await copying;

  t.is(await journalOf(await restored(t, backup)), text);
  await storage.close();
});

test('with writes, seals and aggregation running each backup has what was on disk before it, and is a store', async (t) => {
  const source = new RecordSource();
  const directory = await temporaryDirectory(t);
  const options = { segmentBytesMax: 4096, checkpointIntervalMs: 5, checkpointBytesMax: 4096 };
  const storage = await openStorage(directory, { options });
  const backup = await temporaryDirectory(t);
  let isWriting = true;
  let text = '';
  const begun = source.batch('a');
  await storage.append(begun);
  text += encodeAll(begun);
  const write = async () => {
    for (let count = 0; isWriting; count += 1) {
      const batch = source.batch(`p${count % 5}`, 'a', `p${count % 7}`);
      await storage.append(batch);
      text += encodeAll(batch);
    }
  };
  const writing = write();

  for (let round = 0; round < 4; round += 1) {
    const durable = text;
    const snapshot = await storage.snapshot();
    await makeBackup(nodeFileSystem, directory, backup, snapshot, quiet);
    const copy = await restored(t, backup);
    const journal = await journalOf(copy);
    t.true(journal.startsWith(durable), 'all that was on disk before is there');
    t.is((await checkStore(t, copy)).records, snapshot.seq);
    while (text.length < journal.length + 4096) await storage.flush();
    t.true(text.startsWith(journal), 'and nothing that is not in the journal');
  }

  isWriting = false;
  await writing;
  await storage.close();
  await checkCleanStore(t, directory);
});

test('a second backup copies what is new and keeps the rest', async (t) => {
  const { source, directory, storage, backup } = await backedUp(t);
  await appendSegments(storage, source, 1);
  const files = new FaultyFiles();

  const counts = await makeBackup(files, directory, backup, await storage.snapshot(), quiet);

  t.like(counts, { copied: 2, kept: 3 });
  t.is(files.calls('create', /00001\.ndjson/).length, 0);
  t.is(await journalOf(await restored(t, backup)), await journalAll(directory));
});

test('a second backup copies a file again that was damaged in the first', async (t) => {
  const { directory, storage, backup, text } = await backedUp(t);
  await flipBit(join(backup, first), 40);

  const later = await storage.snapshot();
  const counts = await makeBackup(nodeFileSystem, directory, backup, later, quiet);

  t.like(counts, { copied: 1, kept: 3 });
  t.is(await journalOf(await restored(t, backup)), text);
});

test('a backup that fails at any of its calls leaves the one before it, and the next run finishes', async (t) => {
  const { source, directory, storage, backup, snapshot } = await backedUp(t);
  await storage.append(source.batch('a', 'c'));
  await appendSegments(storage, source, 2);
  const later = await storage.snapshot();
  for (const operation of ['create', 'datasync', 'rename', 'syncDirectory'] as const) {
    for (let after = 0; ; after += 1) {
      const copy = await temporaryDirectory(t);
      await cp(backup, copy, { recursive: true });
      const files = new FaultyFiles();
      files.fail(operation, /./, 'EIO', { after, times: 1 });

      const isDone = await makeBackup(files, directory, copy, later, quiet).then(
        () => true,
        () => false,
      );

      const found = await readBackup(nodeFileSystem, copy);
      t.true(found.seq === snapshot.seq || found.seq === later.seq);
      t.is((await checkStore(t, await restored(t, copy))).records, found.seq);
      await makeBackup(nodeFileSystem, directory, copy, later, quiet);
      t.is((await readBackup(nodeFileSystem, copy)).seq, later.seq);
      if (isDone) break;
    }
  }
});

test('a loss of power leaves the backup that was there, or the new one', async (t) => {
  const { source, directory, storage, backup, snapshot } = await backedUp(t);
  await appendSegments(storage, source, 2);
  const later = await storage.snapshot();
  for (const [operation, path] of [
    ['datasync', /partial/],
    ['datasync', /results/],
    ['rename', /results/],
    ['syncDirectory', /results/],
    ['datasync', /manifest/],
    ['rename', /backup\.json$/],
    ['syncDirectory', /backup$/],
  ] as const) {
    const copy = join(await temporaryDirectory(t), 'backup');
    await cp(backup, copy, { recursive: true });
    const files = new FaultyFiles();
    const hold = files.hold(operation, path);

    const copying = makeBackup(files, directory, copy, later, quiet);
    await hold.reached();
    await files.losePower();
    await t.throwsAsync(copying);

    t.is((await readBackup(nodeFileSystem, copy)).seq, snapshot.seq);
    t.is((await checkStore(t, await restored(t, copy))).records, snapshot.seq);
  }
});

test('once they are done a backup and what is restored from it survive a loss of power', async (t) => {
  const { directory, snapshot, text } = await backedUp(t);
  const root = await temporaryDirectory(t);
  const files = new FaultyFiles();
  const [backup, copy] = [join(root, 'a', 'backup'), join(root, 'b', 'copy')];

  await makeBackup(files, directory, backup, snapshot, quiet);
  await copySnapshot(files, backup, copy, snapshot, quiet);
  await files.losePower();

  t.deepEqual(await readBackup(nodeFileSystem, backup), snapshot);
  t.is(await journalOf(backup), text);
  t.is(await journalOf(copy), text);
});

test('a first backup that was interrupted is none, says so, and is gone on with', async (t) => {
  const { directory, snapshot, text } = await backedUp(t);
  const backup = await temporaryDirectory(t);
  const files = new FaultyFiles();
  files.fail('create', /00001\.ndjson/, 'EIO');
  await t.throwsAsync(makeBackup(files, directory, backup, snapshot, quiet), { code: 'EIO' });

  await t.throwsAsync(readBackup(nodeFileSystem, backup), {
    code: 'JOURNAL_DAMAGED',
    message: /the backup was interrupted; run it again/,
  });
  const counts = await makeBackup(nodeFileSystem, directory, backup, snapshot, quiet);

  t.like(counts, { copied: 1, kept: 3 });
  t.is(await journalOf(await restored(t, backup)), text);
});

for (const path of [/00001\.ndjson/, /partial/]) {
  test(`a disk that is full at ${path.source} ends a backup with NO_SPACE, and nothing half is left in it`, async (t) => {
    const { directory, snapshot } = await backedUp(t);
    const backup = await temporaryDirectory(t);
    const files = new FaultyFiles();
    files.fail('write', path, 'ENOSPC');

    await t.throwsAsync(makeBackup(files, directory, backup, snapshot, quiet), {
      code: 'NO_SPACE',
      message: path,
    });

    const names = await readdir(backup, { recursive: true });
    t.deepEqual(
      names.filter((name) => name.endsWith('.tmp')),
      [],
    );
  });
}

test('each flipped bit of a backup is found, with its file and the offset of its line', async (t) => {
  const { backup, snapshot } = await backedUp(t);
  for (const { file } of snapshot.files) {
    const whole = await readFile(join(backup, file));
    for (let offset = 0; offset < whole.length; offset += 7) {
      const line = whole.lastIndexOf('\n', offset - 1) + 1;
      await flipBit(join(backup, file), offset);

      const error = await t.throwsAsync(checkBackup(nodeFileSystem, backup, snapshot, quiet), {
        code: 'JOURNAL_DAMAGED',
      });

      t.true(error.message.includes(`${file}, offset ${offset === 0 ? 0 : line}: `), error.message);
      await writeFile(join(backup, file), whole);
    }
  }
});

const damages: readonly (readonly [string, (backup: string) => Promise<void>, RegExp])[] = [
  [
    'a missing segment',
    (backup) => rm(join(backup, first)),
    /00001\.ndjson, offset 0: it is missing/,
  ],
  ['a segment cut between two lines', cutOneLine, /00001\.ndjson, offset \d+: it has \d+ bytes/],
  ['another segment in its place, good in itself', exchange, /00001\.ndjson, offset 0: its sum/],
  [
    'a manifest that is missing',
    (backup) => rm(join(backup, 'manifest.ndjson')),
    /manifest\.ndjson/,
  ],
];

for (const [fault, damage, message] of damages) {
  test(`a backup with ${fault} is refused`, async (t) => {
    const { backup, snapshot } = await backedUp(t);
    await damage(backup);

    await t.throwsAsync(checkBackup(nodeFileSystem, backup, snapshot, quiet), {
      code: 'JOURNAL_DAMAGED',
      message,
    });
  });
}

test('a backup whose list is damaged, or that has none, is refused', async (t) => {
  const { backup } = await backedUp(t);
  await flipBit(join(backup, 'backup.json'), 9);
  await t.throwsAsync(readBackup(nodeFileSystem, backup), {
    code: 'JOURNAL_DAMAGED',
    message: /backup\.json, offset 0/,
  });

  await rm(join(backup, 'backup.json'));

  await t.throwsAsync(readBackup(nodeFileSystem, backup), { message: /this is no backup/ });
});

test('damage in the store is not copied into a backup', async (t) => {
  const { directory, snapshot } = await backedUp(t);
  await flipBit(join(directory, first), 40);
  const backup = await temporaryDirectory(t);

  await t.throwsAsync(makeBackup(nodeFileSystem, directory, backup, snapshot, quiet), {
    code: 'JOURNAL_DAMAGED',
    message: /00001\.ndjson, offset 0: the line is damaged/,
  });

  t.false((await readdir(backup, { recursive: true })).some((name) => /00001/.test(name)));
});

test('a restoration that is interrupted anywhere leaves nothing that a start accepts as a store', async (t) => {
  const { backup, snapshot } = await backedUp(t);
  for (const { file } of snapshot.files) {
    const directory = await temporaryDirectory(t);
    const files = new FaultyFiles();
    files.fail('rename', new RegExp(`${file}$`), 'EIO');
    await t.throwsAsync(copySnapshot(files, backup, directory, snapshot, quiet), { code: 'EIO' });

    const isBegun = file !== snapshot.files[0]?.file;
    if (isBegun) await t.throwsAsync(openStorage(directory), { code: 'JOURNAL_DAMAGED' });
    else t.deepEqual(await readdir(directory), []);
  }
});

test('a backup goes only into a directory that is new, empty, or a backup of the same store', async (t) => {
  const { directory, storage, backup, snapshot } = await backedUp(t);
  const other = await closedDirectory(t, [new RecordSource().batch('x', 'y', 'z')]);
  const of = async (source: string) => {
    const opened = await openStorage(source);
    const found = await opened.snapshot();
    await opened.close();
    return found;
  };
  const foreign = await of(other);
  const refused = { code: 'INVALID_CONFIG' };

  await t.throwsAsync(makeBackup(nodeFileSystem, other, backup, foreign, quiet), refused);
  await t.throwsAsync(makeBackup(nodeFileSystem, directory, other, snapshot, quiet), refused);

  t.deepEqual(await readBackup(nodeFileSystem, backup), snapshot);
  t.false((await readdir(other)).includes('backup.json.partial'));
  t.is(storage.lastSeq, snapshot.seq);
});

test('a store whose segment is longer and begins otherwise than the one in a backup is another store', async (t) => {
  const backup = await temporaryDirectory(t);
  const backUp = async (...products: readonly string[]) => {
    const directory = await temporaryDirectory(t);
    const storage = await openStorage(directory);
    t.teardown(() => storage.close());
    await storage.append(new RecordSource().batch(...products));
    return makeBackup(nodeFileSystem, directory, backup, await storage.snapshot(), quiet);
  };
  await backUp('x');

  await t.throwsAsync(backUp('a', 'b', 'c'), { code: 'INVALID_CONFIG' });
});

test('a store does not go into a backup of its own later state', async (t) => {
  const { source, directory, storage, backup, snapshot } = await backedUp(t);
  await appendSegments(storage, source, 1);
  await makeBackup(nodeFileSystem, directory, backup, await storage.snapshot(), quiet);

  await t.throwsAsync(makeBackup(nodeFileSystem, directory, backup, snapshot, quiet), {
    code: 'INVALID_CONFIG',
  });
});

test('a backup does not take the place of a later one that ended while it waited for the directory', async (t) => {
  const { source, directory, storage, backup, snapshot } = await backedUp(t);
  const files = new FaultyFiles();
  const hold = files.hold('create', /LOCK$/);
  const waiting = makeBackup(files, directory, backup, snapshot, quiet);
  await hold.reached();
  await storage.append(source.batch('a'));
  const later = await storage.snapshot();
  await makeBackup(nodeFileSystem, directory, backup, later, quiet);
  hold.release();

  await t.throwsAsync(waiting, { code: 'INVALID_CONFIG' });

  t.deepEqual(await readBackup(nodeFileSystem, backup), later);
  t.is((await checkStore(t, await restored(t, backup))).records, later.seq);
});

test('two backups into one directory at once: the second is refused', async (t) => {
  const { directory, snapshot } = await backedUp(t);
  const backup = await temporaryDirectory(t);
  const files = new FaultyFiles();
  const hold = files.hold('datasync', /results/);
  const first = makeBackup(files, directory, backup, snapshot, quiet);
  await hold.reached();

  await t.throwsAsync(makeBackup(nodeFileSystem, directory, backup, snapshot, quiet), {
    code: 'DIRECTORY_LOCKED',
  });

  hold.release();
  await t.notThrowsAsync(first);
});

test('a new file system is empty, and so is what only a lock is left in', async (t) => {
  const directory = await temporaryDirectory(t);
  for (const name of ['lost+found', 'LOCK']) await writeFile(join(directory, name), '');

  await t.notThrowsAsync(refuseFull(nodeFileSystem, directory));
  await t.notThrowsAsync(refuseFull(nodeFileSystem, join(directory, 'missing')));
  await writeFile(join(directory, 'x'), '');
  await t.throwsAsync(refuseFull(nodeFileSystem, directory), { code: 'INVALID_CONFIG' });
});

async function cutOneLine(backup: string): Promise<void> {
  const bytes = await readFile(join(backup, first));
  await truncate(join(backup, first), bytes.indexOf('\n') + 1);
}

async function exchange(backup: string): Promise<void> {
  const segments = (await readdir(join(backup, 'results'), { recursive: true }))
    .filter((name) => name.endsWith('.ndjson'))
    .sort();
  await cp(join(backup, 'results', segments.at(-1) ?? ''), join(backup, first));
}

/** The journal of a running store, its open segment included. */
async function journalAll(directory: string): Promise<string> {
  const names = await readdir(join(directory, 'results'), { recursive: true });
  const segments = names.filter((name) => /\.ndjson(\.open)?$/.test(name)).sort();
  const texts = segments.map((name) => readFile(join(directory, 'results', name), 'utf8'));
  return (await Promise.all(texts)).join('');
}
