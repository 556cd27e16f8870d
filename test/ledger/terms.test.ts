import test, { type ExecutionContext } from 'ava';
import { RepricerError } from '../../src/errors.ts';
import type { Terms } from '../../src/ledger/reprice.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import {
  type LedgerParts,
  type OpenLedger,
  openLedger,
  receiptOf,
  update,
} from '../support/ledger.ts';
import { price, productId } from '../support/records.ts';
import { checkCleanStore } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

async function open(
  t: ExecutionContext,
  parts: LedgerParts = {},
): Promise<OpenLedger & { readonly directory: string }> {
  const directory = await temporaryDirectory(t);
  return { ...(await openLedger(directory, parts)), directory };
}

test('of many that compare and set the same version, exactly one wins each round', async (t) => {
  const { directory, ledger, set } = await open(t);
  await set('a', '1');

  for (let version = 1; version <= 20; version += 1) {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, client) =>
        ledger.reprice(update('a', `${version}.${client + 1}`), { versions: [version] }),
      ),
    );

    t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    t.is(outcomes.filter((outcome) => codeOf(outcome) === 'PRECONDITION_FAILED').length, 49);
  }
  await ledger.close();
  t.is((await checkCleanStore(t, directory)).records, 21);
});

test('of many that expect the same previous price, one wins and the others are told the price it set', async (t) => {
  const { ledger, set } = await open(t);
  await set('a', '3.50');
  const terms = { expectedPreviousPrice: price('3.5') };

  const outcomes = await Promise.allSettled(
    ['4.10', '4.20', '4.30'].map((digits) => ledger.reprice(update('a', digits), terms)),
  );

  t.deepEqual(outcomes.map(codeOf), [undefined, 'PRICE_CONFLICT', 'PRICE_CONFLICT']);
  const current = { version: 2, price: price('4.10') };
  t.like(outcomes[1], { reason: { current } });
  await ledger.close();
});

interface Case {
  readonly title: string;
  readonly terms: Terms;
  /** Of a product at version 2, price 3.50, and of one that has none. */
  readonly known: string | undefined;
  readonly fresh: string | undefined;
}

const cases: readonly Case[] = [
  { title: 'no terms', terms: {}, known: undefined, fresh: undefined },
  { title: 'new', terms: { mustBeNew: true }, known: 'PRECONDITION_FAILED', fresh: undefined },
  { title: 'any', terms: { versions: 'any' }, known: undefined, fresh: 'PRECONDITION_FAILED' },
  {
    title: 'one of some versions',
    terms: { versions: [7, 2] },
    known: undefined,
    fresh: 'PRECONDITION_FAILED',
  },
  {
    title: 'no version at all',
    terms: { versions: [] },
    known: 'PRECONDITION_FAILED',
    fresh: 'PRECONDITION_FAILED',
  },
  {
    title: 'the price as it was written otherwise',
    terms: { expectedPreviousPrice: price('3.500000') },
    known: undefined,
    fresh: 'PRICE_CONFLICT',
  },
  {
    title: 'no price',
    terms: { expectedPreviousPrice: null },
    known: 'PRICE_CONFLICT',
    fresh: undefined,
  },
];

for (const { title, terms, known, fresh } of cases) {
  test(`a reprice on terms (${title}) is recorded when they hold, and a dry run says the same`, async (t) => {
    const { directory, ledger, set } = await open(t);
    await set('known', '1');
    await set('known', '3.50');

    for (const [product, code] of [
      ['known', known],
      ['fresh', fresh],
    ] as const) {
      const dry = { ...terms, isDryRun: true };
      const outcomes = await Promise.allSettled([ledger.reprice(update(product, '9'), dry)]);
      outcomes.push(...(await Promise.allSettled([ledger.reprice(update(product, '9'), terms)])));

      t.deepEqual(outcomes.map(codeOf), [code, code]);
    }
    await ledger.close();
    const recorded = [known, fresh].filter((code) => code === undefined).length;
    t.is((await checkCleanStore(t, directory)).records, 2 + recorded);
  });
}

test('a dry run says what would be recorded on top of what came before it, and leaves nothing', async (t) => {
  const { ledger, set } = await open(t);

  const [first, dry, second] = await Promise.all([
    set('a', '1.10'),
    ledger.reprice(update('a', '2'), { isDryRun: true }),
    set('a', '3'),
  ]);

  t.deepEqual(dry, {
    kind: 'dry run',
    draft: { ...update('a', '2'), version: 2, previousPrice: price('1.10') },
    isReplayed: false,
  });
  t.is(second.record.version, 2);
  t.is(second.record.previousPrice, first.record.newPrice);
  t.is(ledger.lastSeq, 2);
  await ledger.close();
});

test('a dry run of several sees what those before it would record, and nobody else does', async (t) => {
  const { ledger, set } = await open(t);
  const dry = { isDryRun: true };
  const reprices = [
    { update: { ...update('a', '1'), idempotencyKey: 'k' }, terms: dry },
    { update: update('a', '2'), terms: { ...dry, expectedPreviousPrice: price('1') } },
    { update: { ...update('a', '3'), idempotencyKey: 'k' }, terms: dry },
  ];

  const [outcomes] = await Promise.all([
    ledger.repriceAll({ reprices, isAtomic: false }),
    set('a', '9'),
  ]);

  t.like(outcomes[0], { result: { kind: 'dry run', draft: { version: 1 } } });
  t.like(outcomes[1], { result: { kind: 'dry run', draft: { version: 2 } } });
  t.like(outcomes[2], { error: { code: 'IDEMPOTENCY_KEY_REUSED' } });
  t.is((await ledger.currentPrice(productId('a'))).version, 1);
  t.is(receiptOf(await ledger.reprice(update('a', '4'))).record.version, 2);
  await ledger.close();
});

test('a dry run is refused as a write would be when there is no room', async (t) => {
  const files = new FaultyFiles();
  const { ledger, set } = await open(t, { files, options: { backlogRecordsMax: 1 } });
  const hold = files.hold('write', /results_by_product/);
  await set('a', '1');
  await hold.reached();

  const refused = ledger.reprice(update('b', '1'), { isDryRun: true });

  await t.throwsAsync(refused, { code: 'BACKLOG_FULL' });
  hold.release();
  await ledger.close();
});

test('a price that stays the same is recorded, unless it is to be only when it changes', async (t) => {
  const { ledger, set } = await open(t);
  await set('a', '3.5');

  const again = await set('a', '3.50');
  const unchanged = await ledger.reprice(update('a', '3.500'), { onlyIfChanged: true });
  const changed = await ledger.reprice(update('a', '3.51'), { onlyIfChanged: true });

  t.is(again.record.version, 2);
  t.deepEqual(unchanged, { kind: 'unchanged', head: { version: 2, price: price('3.50') } });
  t.is(receiptOf(changed).record.version, 3);
  t.is((await ledger.currentPrice(productId('a'))).seq, 3);
  await ledger.close();
});

function codeOf(outcome: PromiseSettledResult<unknown>): string | undefined {
  if (outcome.status === 'fulfilled') return undefined;
  return outcome.reason instanceof RepricerError ? outcome.reason.code : String(outcome.reason);
}
