import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { presentReceipt } from '../../../src/http/read/present-receipt.ts';
import { encodeRecord } from '../../../src/storage/record.ts';
import { FaultyFiles } from '../../support/faulty-files.ts';
import { type LedgerService, startLedgerService } from '../../support/ledger-service.ts';
import { checkCleanStore } from '../../support/store.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { pointersOf } from '../http-fixture.ts';

/* GET /api/record/{seq} over HTTP, on files. */

const journal = /results\/date=/;

test('a record is answered as its receipt was, and the bytes at its place are its line, before and after sealing', async (t) => {
  const { directory, service } = await start(t, { segmentBytesMax: 600 });
  const receipts = [];
  for (let count = 1; count <= 5; count += 1) {
    receipts.push(...(await Promise.all(['ä', 'b', 'c'].map((id) => service.set(id, `${count}`)))));
  }

  for (const { record, place } of receipts) {
    const answer = await fetch(`${service.url}/api/record/${record.seq}`);
    t.is(answer.status, 200);
    t.is(answer.headers.get('content-type'), 'application/json; charset=utf-8');
    t.is(answer.headers.get('cache-control'), 'no-store');
    t.is(await answer.text(), presentReceipt({ record, place }));
    t.is(await bytesAt(directory, place), encodeRecord(record));
  }
  await service.stop();

  const segments = new Set(receipts.map(({ place }) => place.file));
  t.true(segments.size > 1, 'more than one segment');
  for (const { record, place } of receipts) {
    const sealed = await readFile(join(directory, place.file));
    const line = sealed.subarray(place.offset, place.offset + place.length).toString();
    t.is(line, encodeRecord(record));
  }
  await checkCleanStore(t, directory);
});

test('a record is answered the same after a restart, and under /api/v1', async (t) => {
  const { directory, service } = await start(t);
  await service.set('a', '1');
  const { record, place } = await service.set('a', '2.50');
  await service.stop();
  const again = await startLedgerService(t, directory);

  const answers = await Promise.all(
    ['/api', '/api/v1'].map(async (prefix) =>
      (await fetch(`${again.url}${prefix}/record/2`)).text(),
    ),
  );

  t.deepEqual(answers, Array(2).fill(presentReceipt({ record, place })));
});

test('a record that is not on disk yet is 404, with a problem of its own', async (t) => {
  const { files, service } = await start(t);
  await service.set('a', '1');
  const hold = files.hold('datasync', journal);
  const writing = service.set('a', '2');
  await hold.reached();

  const before = await fetch(`${service.url}/api/record/2`);
  hold.release();
  await writing;
  const after = await fetch(`${service.url}/api/record/2`);

  t.is(before.status, 404);
  t.like(await before.json(), { type: '/problems/unknown-record', status: 404 });
  t.is(after.status, 200);
  const last = await fetch(`${service.url}/api/record/${Number.MAX_SAFE_INTEGER}`);
  t.is(last.status, 404);
});

test('what is no seq is 400 and says where', async (t) => {
  const { service } = await start(t);

  for (const seq of ['0', '-1', '01', '1.0', '1e2', '%31', 'one', '9007199254740992', '1%20']) {
    const answer = await fetch(`${service.url}/api/record/${seq}`);
    t.is(answer.status, 400, seq);
    t.deepEqual(pointersOf({ text: await answer.text() }), ['#/seq']);
  }
  t.is((await fetch(`${service.url}/api/record/1?x=1`)).status, 400);
});

test('a record whose line is damaged is 500 and says so, and the log names file, offset and seq', async (t) => {
  const { directory, service } = await start(t);
  for (let count = 1; count <= 5; count += 1) await service.set('a', `${count}`);
  const { file, offset } = (await service.ledger.record(3)).place;

  await damage(join(directory, `${file}.open`), offset);
  const answer = await fetch(`${service.url}/api/record/3`);

  t.is(answer.status, 500);
  t.deepEqual(await answer.json(), {
    type: '/problems/journal-damaged',
    title: 'Journal damaged',
    status: 500,
    detail: 'Lines of the journal that this has to read are damaged, and nothing was recorded.',
  });
  t.like(lastError(service), {
    code: 'JOURNAL_DAMAGED',
    message: `the journal cannot be read: ${file}, offset ${offset}, seq 3: its checksum does not match its bytes`,
  });
});

test('where the line before is damaged too, the log names the seqs of the segment', async (t) => {
  const { directory, service } = await start(t);
  for (let count = 1; count <= 5; count += 1) await service.set('a', `${count}`);
  const places = [];
  for (const seq of [1, 2, 3, 4, 5]) places.push((await service.ledger.record(seq)).place);

  for (const { file, offset } of places) await damage(join(directory, `${file}.open`), offset);
  const answers = await Promise.all([1, 5].map((seq) => fetch(`${service.url}/api/record/${seq}`)));

  t.deepEqual(
    answers.map(({ status }) => status),
    [500, 500],
  );
  t.regex(String(lastError(service)), /, seq 1 to 5: its checksum does not match its bytes$/);
});

test('a record is found with a few reads, however many there are', async (t) => {
  const { files, service } = await start(t);
  for (let batch = 0; batch < 40; batch += 1) {
    await Promise.all(Array.from({ length: 50 }, (_, id) => service.set(`p${id}`, '1')));
  }
  const before = files.calls('read', journal).length;

  await fetch(`${service.url}/api/record/777`);

  const reads = files.calls('read', journal).length - before;
  t.true(reads <= 24, `${reads} reads among 2000 records`);
});

async function start(t: ExecutionContext, options: { segmentBytesMax?: number } = {}) {
  const directory = await temporaryDirectory(t);
  const files = new FaultyFiles();
  return { directory, files, service: await startLedgerService(t, directory, { files, options }) };
}

/** Changes one byte of the line at `offset`. */
async function damage(path: string, offset: number): Promise<void> {
  const bytes = await readFile(path);
  bytes.write('x', offset + 1);
  await writeFile(path, bytes);
}

function lastError({ log }: LedgerService): unknown {
  return log.lines.findLast(({ level }) => level === 'error')?.fields['error'];
}

/** The line at a place, in the segment under its final name or, while it is open, its other one. */
async function bytesAt(
  directory: string,
  { file, offset, length }: { readonly file: string; offset: number; length: number },
): Promise<string> {
  const path = join(directory, file);
  const bytes = await readFile(path).catch(() => readFile(`${path}.open`));
  return bytes.subarray(offset, offset + length).toString();
}
