import test from 'ava';
import { FaultyFiles } from '../support/faulty-files.ts';
import { openLedger, update } from '../support/ledger.ts';
import { productId } from '../support/records.ts';
import { checkCleanStore } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const journal = /results\/date=/;

test('a ledger that is read-only refuses every write, and reads go on', async (t) => {
  const directory = await temporaryDirectory(t);
  const { ledger, set } = await openLedger(directory);
  await set('a', '1.50');

  await ledger.setReadOnly(true);
  const reprices = [{ update: update('a', '2'), terms: { isDryRun: true } }];

  await t.throwsAsync(set('a', '2'), { code: 'READ_ONLY' });
  await t.throwsAsync(ledger.repriceAll({ reprices, isAtomic: false }), { code: 'READ_ONLY' });
  t.is((await ledger.currentPrice(productId('a'))).version, 1);
  await ledger.close();
  t.is((await checkCleanStore(t, directory)).records, 1);
});

test('once a ledger is read-only no write is under way any more', async (t) => {
  const files = new FaultyFiles();
  const { ledger, set } = await openLedger(await temporaryDirectory(t), { files });
  const hold = files.hold('datasync', journal);
  const accepted = [set('a', '1'), set('b', '2')];
  await hold.reached();

  const readOnly = ledger.setReadOnly(true).then(() => ledger.lastSeq);
  hold.release();

  t.is(await readOnly, 2);
  t.is((await Promise.all(accepted)).length, 2);
  await ledger.close();
});

test('writes go on where they stopped once they are switched on again', async (t) => {
  const directory = await temporaryDirectory(t);
  const { ledger, set } = await openLedger(directory);
  await set('a', '1');
  await ledger.setReadOnly(true);

  await ledger.setReadOnly(false);
  const { record } = await set('a', '2');

  t.like(record, { seq: 2, previousPrice: '1.0' });
  await ledger.close();
});

test('a restart switches writes on', async (t) => {
  const directory = await temporaryDirectory(t);
  const before = await openLedger(directory);
  await before.ledger.setReadOnly(true);
  await before.ledger.close();

  const { ledger, set } = await openLedger(directory);

  await t.notThrowsAsync(set('a', '1'));
  await ledger.close();
});

test('a ledger that is closed seals, flushes and copies nothing', async (t) => {
  const { ledger } = await openLedger(await temporaryDirectory(t));
  await ledger.close();

  await t.throwsAsync(ledger.seal(), { code: 'DRAINING' });
  await t.throwsAsync(ledger.flush(), { code: 'DRAINING' });
  await t.throwsAsync(ledger.snapshot(), { code: 'DRAINING' });
});
