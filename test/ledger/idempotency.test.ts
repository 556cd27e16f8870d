import test, { type ExecutionContext } from 'ava';
import { IdempotencyKeys } from '../../src/ledger/idempotency-keys.ts';
import type { PriceUpdate } from '../../src/model/price-record.ts';
import { toTimestamp } from '../../src/model/timestamp.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { openLedger, receiptOf, update } from '../support/ledger.ts';
import { TestClock } from '../support/records.ts';
import { checkCleanStore, checkStore, RecordedEvents } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('a request that is sent again with its key gets its first receipt and records nothing', async (t) => {
  const directory = await temporaryDirectory(t);
  const { ledger, set } = await openLedger(directory);
  const first = receiptOf(await ledger.reprice(keyed('k', 'a', '1.50')));
  await set('a', '2');

  const again = await ledger.reprice(keyed('k', 'a', '1.50'));

  t.deepEqual(again, { kind: 'recorded', receipt: first, isReplayed: true });
  t.is(ledger.lastSeq, 2);
  await ledger.close();
  await checkCleanStore(t, directory);
});

test('a key with another product, price or note is refused', async (t) => {
  const { ledger } = await open(t);
  await ledger.reprice({ ...keyed('k', 'a', '1.5'), source: 'crawler' });

  for (const other of [
    { ...keyed('k', 'b', '1.5'), source: 'crawler' },
    { ...keyed('k', 'a', '1.50'), source: 'crawler' },
    keyed('k', 'a', '1.5'),
  ]) {
    await t.throwsAsync(ledger.reprice(other), { code: 'IDEMPOTENCY_KEY_REUSED' });
  }
  t.is(ledger.lastSeq, 1);
  await ledger.close();
});

test('a request whose first attempt has no answer yet is refused, and answered once it has', async (t) => {
  const files = new FaultyFiles();
  const { ledger } = await open(t, files);
  const hold = files.hold('datasync', /\/results\//);
  const first = ledger.reprice(keyed('k', 'a', '1.5'));
  await hold.reached();

  await t.throwsAsync(ledger.reprice(keyed('k', 'a', '1.5')), { code: 'IDEMPOTENCY_KEY_IN_USE' });

  hold.release();
  const receipt = receiptOf(await first);
  t.deepEqual(receiptOf(await ledger.reprice(keyed('k', 'a', '1.5'))), receipt);
  await ledger.close();
});

test('a key whose request was refused is free again', async (t) => {
  const { ledger } = await open(t);
  const refused = ledger.reprice(keyed('k', 'a', '1.5'), { versions: [1] });
  await t.throwsAsync(refused, { code: 'PRECONDITION_FAILED' });

  const result = await ledger.reprice(keyed('k', 'b', '2'));

  t.is(receiptOf(result).record.seq, 1);
  await ledger.close();
});

test('keys are known after a clean stop, after a crash, and in any segment', async (t) => {
  const directory = await temporaryDirectory(t);
  const options = { segmentBytesMax: 400 };
  const before = await openLedger(directory, { options });
  const first = receiptOf(await before.ledger.reprice(keyed('k1', 'a', '1.5')));
  for (let count = 0; count < 5; count += 1) await before.set('other', `${count + 1}`);
  await before.ledger.close();
  const files = new FaultyFiles();
  const crashed = await openLedger(directory, { options, files });
  t.deepEqual(receiptOf(await crashed.ledger.reprice(keyed('k1', 'a', '1.5'))), first);
  const second = receiptOf(await crashed.ledger.reprice(keyed('k2', 'b', '2.5')));
  await files.losePower();
  await Promise.allSettled([crashed.ledger.close()]);

  const { ledger } = await openLedger(directory, { options });

  t.deepEqual(receiptOf(await ledger.reprice(keyed('k1', 'a', '1.5'))), first);
  t.deepEqual(receiptOf(await ledger.reprice(keyed('k2', 'b', '2.5'))), second);
  t.is(ledger.lastSeq, 7);
  await ledger.close();
  await checkStore(t, directory);
});

test('a key is forgotten when its time is over, before and after a restart', async (t) => {
  const directory = await temporaryDirectory(t);
  const clock = new TestClock();
  const keys = { idempotencyWindowMs: 1000 };
  const before = await openLedger(directory, { clock, keys });
  for (const key of ['k1', 'k2']) await before.ledger.reprice(keyed(key, 'a', '1.5'));
  clock.advanceMs(1000);

  const again = receiptOf(await before.ledger.reprice(keyed('k1', 'a', '1.5')));
  await before.ledger.close();
  const after = await openLedger(directory, { clock, keys });
  const other = receiptOf(await after.ledger.reprice(keyed('k2', 'b', '1.5')));

  t.is(again.record.seq, 3);
  t.is(other.record.seq, 4);
  t.is(after.ledger.idempotencyKeys.size, 2);
  t.is(after.ledger.idempotencyKeys.forgottenEarly, 0);
  await after.ledger.close();
});

test('forgetting a key takes no longer when very many were forgotten before', (t) => {
  const keys = new IdempotencyKeys({ idempotencyKeysMax: 20_000, idempotencyWindowMs: 1e9 });
  const addMany = (count: number) => {
    const started = process.cpuUsage();
    for (let added = 0; added < count; added += 1) {
      seq += 1;
      keys.add({ idempotencyKey: `key ${seq}`, seq, timestamp: toTimestamp(seq) });
    }
    return process.cpuUsage(started).user;
  };
  let seq = 0;
  addMany(20_000);

  const [early, late] = [addMany(5_000), addMany(30_000) / 6];

  t.is(keys.size, 20_000);
  t.is(keys.forgottenEarly, 35_000);
  t.true(late < 10 * early + 20_000, `${early} µs of processor time, then ${late} µs for as many`);
});

test('past the bound the oldest keys are forgotten, which is counted, before and after a restart', async (t) => {
  const directory = await temporaryDirectory(t);
  const keys = { idempotencyKeysMax: 2 };
  const before = await openLedger(directory, { keys });
  for (const key of ['k1', 'k2', 'k3']) await before.ledger.reprice(keyed(key, 'a', '1.5'));
  t.is(before.ledger.idempotencyKeys.forgottenEarly, 1);
  await before.ledger.close();

  const { ledger } = await openLedger(directory, { keys });
  t.is(ledger.idempotencyKeys.forgottenEarly, 1);
  const results = [];
  for (const key of ['k2', 'k3', 'k1']) results.push(await ledger.reprice(keyed(key, 'a', '1.5')));

  t.deepEqual(
    results.map((result) => result.kind === 'recorded' && result.isReplayed),
    [true, true, false],
  );
  await ledger.close();
});

test('keys whose time is not over and that a start has no place for are counted and reported, and older ones are not', async (t) => {
  const directory = await temporaryDirectory(t);
  const clock = new TestClock();
  const before = await openLedger(directory, { clock, options: { segmentBytesMax: 1000 } });
  for (let count = 1; count <= 20; count += 1) {
    if (count === 11) clock.advanceMs(2000);
    await before.ledger.reprice(keyed(`k${count}`, 'a', '1.5'));
  }
  await before.ledger.close();

  const counts = [];
  for (const idempotencyKeysMax of [10, 8, 3]) {
    const events = new RecordedEvents();
    const keys = { idempotencyKeysMax, idempotencyWindowMs: 1000 };
    const { ledger } = await openLedger(directory, { clock, keys, events });
    counts.push([ledger.idempotencyKeys.forgottenEarly, ...events.of('keysLeftOut')]);
    await ledger.close();
  }

  t.deepEqual(counts, [[0], [2, [2, 8]], [7, [7, 3]]]);
});

function open(t: ExecutionContext, files?: FaultyFiles) {
  return temporaryDirectory(t).then((directory) => openLedger(directory, files && { files }));
}

function keyed(idempotencyKey: string, product: string, newPrice: string): PriceUpdate {
  return { ...update(product, newPrice), idempotencyKey };
}
