import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { nodeFileSystem } from '../../src/files/file-system.ts';
import { encodeCheckedLine } from '../../src/storage/checked-line.ts';
import { decodeSnapshot, encodeSnapshot, snapshotAtRest } from '../../src/storage/snapshot.ts';
import { closedDirectory, crashedDirectory, flipBit } from '../support/data-directory.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { encodeAll, RecordSource } from '../support/records.ts';
import { openStorage } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const first = 'results/date=2026-11-21/00000000000000000001.ndjson';
const second = 'results/date=2026-11-21/00000000000000000003.ndjson';

test('a snapshot has the manifest and every segment, newest first, and nothing that is made from them', async (t) => {
  const source = new RecordSource();
  const storage = await openStorage(await temporaryDirectory(t));
  await storage.append(source.batch('a', 'b'));
  await storage.seal();
  await storage.append(source.batch('a'));
  await storage.flush();

  const { seq, files } = await storage.snapshot();

  t.is(seq, 3);
  t.deepEqual(
    files.map(({ file }) => file),
    ['manifest.ndjson', second, first],
  );
  await storage.close();
});

test('a snapshot of an empty store has no files', async (t) => {
  const storage = await openStorage(await temporaryDirectory(t));

  t.deepEqual(await storage.snapshot(), { seq: 0, timestamp: null, files: [] });
  await storage.close();
});

test('a snapshot has every batch that is on disk, and nothing of one that is on its way', async (t) => {
  const files = new FaultyFiles();
  const source = new RecordSource();
  const storage = await openStorage(await temporaryDirectory(t), { files });
  const durable = source.batch('a', 'b');
  await storage.append(durable);
  const hold = files.hold('datasync', /results\/date=/);
  const later = storage.append(source.batch('a'));
  await hold.reached();

  const snapshot = await storage.snapshot();
  hold.release();
  await later;

  t.is(snapshot.seq, 2);
  t.is(snapshot.files[0]?.bytes, encodeAll(durable).length);
  await storage.close();
});

test('a segment of which nothing is on disk yet is not in a snapshot', async (t) => {
  const files = new FaultyFiles();
  const source = new RecordSource();
  const storage = await openStorage(await temporaryDirectory(t), { files });
  const hold = files.hold('datasync', /results\/date=/);
  const first = storage.append(source.batch('a'));
  await hold.reached();

  const snapshot = await storage.snapshot();
  hold.release();
  await first;

  t.deepEqual(snapshot.files, []);
  await storage.close();
});

test('the snapshot of a directory at rest is the one that its last process would have given', async (t) => {
  const source = new RecordSource();
  const directory = await temporaryDirectory(t);
  const storage = await openStorage(directory);
  await storage.append(source.batch('a', 'b'));
  await storage.seal();
  await storage.append(source.batch('a'));
  const running = await storage.snapshot();

  const atRest = await snapshotAtRest(nodeFileSystem, directory);

  t.deepEqual(atRest, running);
  await storage.close();
});

test('a torn tail is not in the snapshot of a directory at rest', async (t) => {
  const batch = new RecordSource().batch('a', 'b');
  const directory = await crashedDirectory(t, [batch]);
  await appendFile(join(directory, `${first}.open`), '{"seq":3,"ba');

  const snapshot = await snapshotAtRest(nodeFileSystem, directory);

  t.is(snapshot.files[0]?.bytes, encodeAll(batch).length);
});

test('no snapshot is taken of a directory that a start would refuse', async (t) => {
  const source = new RecordSource();
  const directory = await closedDirectory(t, [source.batch('a'), source.batch('a')]);
  await flipBit(join(directory, first), 30);

  await t.throwsAsync(snapshotAtRest(nodeFileSystem, directory), {
    code: 'JOURNAL_DAMAGED',
    message: /00001\.ndjson, offset 0/,
  });
});

test('a snapshot that is encoded is decoded the same, and not with any bit flipped or byte missing', async (t) => {
  const directory = await closedDirectory(t, [new RecordSource().batch('a', 'b')]);
  const snapshot = await snapshotAtRest(nodeFileSystem, directory);

  const line = Buffer.from(encodeSnapshot(snapshot));

  t.deepEqual(decodeSnapshot(line), snapshot);
  for (let offset = 0; offset < line.length; offset += 1) {
    t.is(decodeSnapshot(line.subarray(0, offset)), undefined);
    const flipped = Buffer.from(line);
    flipped.writeUInt8(flipped.readUInt8(offset) ^ 1, offset);
    t.is(decodeSnapshot(flipped), undefined);
  }
});

test('a snapshot that names any other file than a segment or the manifest is not believed', (t) => {
  const decode = (file: string, bytes: unknown = 1) => {
    const files = [{ file, bytes, sha256: '0'.repeat(64) }];
    const fields = JSON.stringify({ seq: 1, timestamp: null, files }).slice(0, -1);
    return decodeSnapshot(Buffer.from(encodeCheckedLine(fields)));
  };

  t.not(decode(first), undefined);
  t.not(decode('manifest.ndjson'), undefined);
  for (const file of ['../x', `../${first}`, `${first}/..`, '/etc/passwd', 'LOCK', 'results', '']) {
    t.is(decode(file), undefined, file);
  }
  for (const bytes of [-1, 0.5, '1', null]) t.is(decode(first, bytes), undefined);
  for (const text of ['{"seq":1', '{"seq":1,"timestamp":null,"files":{}', '{"files', '"x"']) {
    t.is(decodeSnapshot(Buffer.from(encodeCheckedLine(text))), undefined, text);
  }
});

test('seal ends the open segment, also when there is none, and the next record begins another', async (t) => {
  const source = new RecordSource();
  const directory = await temporaryDirectory(t);
  const storage = await openStorage(directory);
  const batch = source.batch('a', 'b');
  await storage.append(batch);

  await storage.seal();
  await storage.seal();
  const [place] = await storage.append(source.batch('a'));

  t.is(await readFile(join(directory, first), 'utf8'), encodeAll(batch));
  t.is(place?.file, second);
  await storage.close();
});

test('after a failed sync no segment is sealed', async (t) => {
  const files = new FaultyFiles();
  const source = new RecordSource();
  const directory = await temporaryDirectory(t);
  const storage = await openStorage(directory, { files });
  await storage.append(source.batch('a'));
  files.fail('datasync', /results\/date=/, 'EIO');
  await t.throwsAsync(storage.append(source.batch('a')), { code: 'STORAGE_FAILED' });

  await t.throwsAsync(storage.seal(), { code: 'STORAGE_FAILED' });

  t.deepEqual(files.calls('rename', /\.open/), []);
  await storage.close();
});
