import { existsSync } from 'node:fs';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ChildService } from '../../support/child-service.ts';
import { readStore, type StoredFiles } from '../checker/stored-files.ts';
import { Checker, type StoreState } from '../checker.ts';
import type { Fault } from '../fault.ts';
import { numbered, runStoreTrials, type TrialStore } from '../store-trials.ts';
import { until } from '../until.ts';

const trials = { quick: 1, soak: 5 };

export const restore: Fault = {
  id: 'F25',
  title: 'sealed segments and manifest copied to an empty volume',
  needs: [],
  run: (run) => runStoreTrials(run, numbered('restore', trials[run.size]), trial),
};

/** Copied twice: under load, which gives an earlier state, and after the stop, which gives all of it. */
async function trial(store: TrialStore): Promise<StoreState> {
  const service = await store.start(['--segment-bytes-max', '10000', '--flush-interval-ms', '20']);
  const load = store.load({
    ...{ port: service.port, connections: 20, products: 30, onBroken: 'end' },
  });
  await delay(700);
  const manifest = join(store.directory, 'manifest.ndjson');
  await until('a segment is sealed', () => existsSync(manifest));
  await expectRestored(store, 'a running service');
  store.client.stop();
  await load;
  await store.stop(service);

  const restored = await expectRestored(store, 'a stopped service');
  const original = new Map(await readStore({ directory: store.directory }));
  // What clients asked for is no part of the ledger, and nothing was asked of the copy.
  original.delete('clients.json');
  for (const [path, bytes] of original) {
    if (path === 'LOCK' || path === 'checkpoint.json') continue;
    store.expect(restored.get(path)?.equals(bytes) ?? false, `${path} is not as it was`);
  }
  store.expect(
    restored.size === original.size,
    `${restored.size} files of ${original.size} were restored`,
  );
  return 'stopped';
}

/** What starts from the copy has the copied segments unchanged, and product files that are their projection. */
async function expectRestored(store: TrialStore, source: string): Promise<StoredFiles> {
  const copy = `${store.directory} copied from ${source}`;
  await copyAway(store.directory, copy);
  const copied = await readStore({ directory: copy });
  const service = await ChildService.start(store.owner, copy);
  await store.stop(service);
  const restored = await readStore({ directory: copy });
  for (const [path, bytes] of copied) {
    if (path === 'manifest.ndjson') continue;
    store.expect(restored.get(path)?.equals(bytes) ?? false, `${source}: ${path} was changed`);
  }
  const checker = store.owner.own(new Checker());
  const { records, violations } = await checker.check({
    ...{ store: { directory: copy }, state: 'stopped' },
  });
  store.expect(records > 0, `${source}: nothing was restored`);
  for (const violation of violations) store.expect(false, `${source}: ${violation}`);
  return restored;
}

/** As an operator's job would: the manifest first, so that every segment it lists is there to be copied. */
async function copyAway(directory: string, copy: string): Promise<void> {
  await mkdir(copy, { recursive: true });
  await cp(join(directory, 'manifest.ndjson'), join(copy, 'manifest.ndjson'));
  const manifest = await readFile(join(copy, 'manifest.ndjson'), 'utf8');
  for (const line of manifest.split('\n').slice(0, -1)) {
    const { file } = JSON.parse(line) as { readonly file: string };
    await cp(join(directory, file), join(copy, file), { recursive: true });
  }
}
