import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChildService, Surroundings } from '../../support/child-service.ts';
import { journalOf } from '../checker/stored-journal.ts';
import type { StoreState } from '../checker.ts';
import { expectHealthy } from '../expect-healthy.ts';
import type { Fault } from '../fault.ts';
import { runStoreTrials, type TrialStore } from '../store-trials.ts';

const rounds = { quick: 1, soak: 4 };

/** Clocks as libfaketime takes them; a service lives on the true one before and after. */
const clocks: Readonly<Record<string, string>> = {
  'an hour behind': '-1h',
  'two hours ahead': '+2h',
  'ten days behind': '-10d',
  'frozen a day ahead': `${dayFromNow(1)} 12:00:00`,
  'over midnight': `@${dayFromNow(2)} 23:59:59`,
  'leaping while it runs': '+0',
};

/** Seconds, one after the other. */
const leaps = [-3600, 7200, -864_000, 100_000, 0];

export const clock: Fault = {
  id: 'F16',
  title: 'the wall clock is wrong, stands still or leaps',
  needs: ['faketime'],
  run(run) {
    const kinds = Object.keys(clocks);
    const names = Array.from({ length: rounds[run.size] }, () => kinds).flat();
    return runStoreTrials(run, names, (store, index) => trial(store, names[index] ?? ''));
  },
};

async function trial(store: TrialStore, name: string): Promise<StoreState> {
  const flags = ['--segment-bytes-max', '10000', '--flush-interval-ms', '20'];
  const before = await store.start(flags);
  await store.writeCalmly(before.port, 50);
  await store.stop(before);

  const isLeaping = name === 'leaping while it runs';
  const leapFile = `${store.directory}.leap`;
  await writeFile(leapFile, '+0');
  const faked = isLeaping ? leapingClock(leapFile) : wrongClock(clocks[name] ?? '');
  const during = await store.start(flags, faked);
  const load = store.load({
    ...{ port: during.port, connections: 10, products: 10, onBroken: 'end' },
  });
  for (const leap of isLeaping ? leaps : [0, 0, 0, 0]) {
    if (isLeaping) await writeFile(leapFile, `${leap >= 0 ? '+' : ''}${leap}`);
    await delay(300);
  }
  store.client.stop();
  await load;
  await expectHealthy(store, during);
  await expectRangesRight(store, during);
  await store.stop(during);

  const after = await store.start(flags);
  await store.writeCalmly(after.port, 50);
  await expectRangesRight(store, after);
  await store.stop(after);
  return 'stopped';
}

function wrongClock(time: string): Surroundings {
  return { env: { ...fakedClock(), FAKETIME: time } };
}

function leapingClock(file: string): Surroundings {
  return { env: { ...fakedClock(), FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1' } };
}

/** Only the wall clock is faked: no machine's monotonic clock leaps. The command `faketime` would not pass signals on. */
function fakedClock(): Readonly<Record<string, string>> {
  return { LD_PRELOAD: library(), FAKETIME_DONT_FAKE_MONOTONIC: '1', TZ: 'UTC' };
}

/** Where the library is differs from one system to the next, and the command knows. */
function library(): string {
  const { stdout } = spawnSync('faketime', ['-f', '+0', 'printenv', 'LD_PRELOAD']);
  return String(stdout).trim();
}

function dayFromNow(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

/** What is asked for by time is what the journal has in that time, whatever the clock says now. */
async function expectRangesRight(store: TrialStore, service: ChildService): Promise<void> {
  const records = await journalOf(store.directory);
  for (const [fromShare, toShare] of [
    [0, 0.3],
    [0.4, 0.6],
    [0.9, 1],
  ] as const) {
    const first = Math.floor((records.length - 1) * fromShare);
    const last = Math.floor((records.length - 1) * toShare);
    const range = `from=${records[first]?.timestamp}&to=${records[last]?.timestamp}`;
    const seqs = await seqsOf(service, range);
    const expected = records.slice(first, last + 1).map(({ seq }) => seq);
    store.expect(
      seqs.join() === expected.join(),
      `${range} gave ${seqs.length} records for ${expected.length}`,
    );
  }
}

async function seqsOf(service: ChildService, range: string): Promise<readonly number[]> {
  const seqs: number[] = [];
  for (let page = 1; ; page += 1) {
    const { body } = await service.get(`/api/query?${range}&pageSize=1000&pageNumber=${page}`);
    const records = JSON.parse(body) as readonly { readonly seq: number }[];
    seqs.push(...records.map(({ seq }) => seq));
    if (records.length < 1000) return seqs;
  }
}
