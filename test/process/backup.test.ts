import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { encodeTokenList } from '../../src/access/token-list.ts';
import { nodeFileSystem } from '../../src/files/file-system.ts';
import { makeBackup } from '../../src/storage/backup.ts';
import { decodeSnapshot } from '../../src/storage/snapshot.ts';
import { BrokenConnection, ChildService, runMain } from '../support/child-service.ts';
import { contentsOf, flipBit, journalOf } from '../support/data-directory.ts';
import { checkCleanStore } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { entry, tokenOf } from '../support/tokens.ts';

const admin = ['--admin', '--segment-bytes-max', '4096', '--flush-interval-ms', '20'];

/** Writes until the service ends, and keeps what was acknowledged: the price of each seq. */
class Writer {
  readonly acknowledged = new Map<number, string>();
  readonly ended: Promise<void>;
  #isStopped = false;

  constructor(service: ChildService) {
    this.ended = this.#write(service);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.ended;
  }

  async until(count: number): Promise<void> {
    while (this.acknowledged.size < count) await new Promise((resolve) => setImmediate(resolve));
  }

  async #write(service: ChildService): Promise<void> {
    for (let count = 1; !this.#isStopped; count += 1) {
      try {
        const { status, headers } = await service.reprice(`p${count % 9}`, `${count}.50`);
        if (status === 202) this.acknowledged.set(Number(headers['repricer-seq']), `${count}.50`);
      } catch (error) {
        if (!(error instanceof BrokenConnection)) throw error;
        return;
      }
    }
  }
}

test('backups of a service under load have all that was acknowledged before, restore, start and serve', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory, admin);
  const writer = new Writer(service);
  const backup = join(await temporaryDirectory(t), 'backup');
  const address = ['--data-dir', directory, '--backplane-port', `${service.backplanePort}`];

  const copies: string[] = [];
  for (let round = 1; round <= 3; round += 1) {
    await writer.until(round * 60);
    const before = new Map(writer.acknowledged);
    const copy = join(await temporaryDirectory(t), 'restored');
    const backedUp = await runMain(['backup', backup, ...address]);
    const restored = await runMain(['restore', backup, '--data-dir', copy]);
    const verified = await runMain(['verify', '--data-dir', copy]);

    t.is(backedUp.code, 0, backedUp.stderr);
    t.is(restored.code, 0, restored.stderr);
    t.is(verified.code, 0, verified.stdout);
    t.regex(backedUp.stderr, /^copied 100 %, /m);
    const journal = await journalOf(copy);
    for (const [seq, price] of before) {
      t.true(journal.split('\n')[seq - 1]?.includes(`"seq":${seq},`));
      t.true(journal.split('\n')[seq - 1]?.includes(`"newPrice":${price},`));
    }
    copies.push(journal);
  }
  await writer.stop();
  await service.kill('SIGTERM');

  const whole = await journalOf(directory);
  for (const copy of copies) t.true(whole.startsWith(copy), 'each copy is a prefix, byte for byte');
  const last = join(await temporaryDirectory(t), 'served');
  await runMain(['restore', backup, '--data-dir', last]);
  const again = await ChildService.start(t, last);
  const count = (copies.at(-1) ?? '').split('\n').length - 1;
  const { status, body } = await again.get(`/api/record/${count}`);
  t.is(status, 200);
  t.like(JSON.parse(body), { seq: count });
  const next = await again.reprice('p1', '1.00');
  t.is(next.headers['repricer-seq'], `${count + 1}`);
  await again.kill('SIGTERM');
  await checkCleanStore(t, last);
});

test('a snapshot can be copied although its service was killed and started again since', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory, admin);
  const writer = new Writer(service);
  await writer.until(50);
  const before = writer.acknowledged.size;
  const answer = await fetch(`http://127.0.0.1:${service.backplanePort}/admin/snapshot`, {
    method: 'POST',
  });
  const snapshot = decodeSnapshot(Buffer.from(await answer.arrayBuffer()));
  await service.kill('SIGKILL');
  await writer.ended;
  const again = await ChildService.start(t, directory, admin);
  const backup = await temporaryDirectory(t);
  if (snapshot === undefined) throw new Error('no snapshot was given');

  await makeBackup(nodeFileSystem, directory, backup, snapshot, () => {});

  t.true(snapshot.seq >= before);
  t.true((await journalOf(directory)).startsWith(await journalOf(backup)));
  t.is((await journalOf(backup)).split('\n').length - 1, snapshot.seq);
  await again.kill('SIGTERM');
});

test('a store that nobody serves is backed up and restored to the byte', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory, admin);
  for (let count = 1; count <= 40; count += 1) await service.reprice('a', `${count}`);
  await service.kill('SIGTERM');
  const backup = join(await temporaryDirectory(t), 'backup');
  const copy = await temporaryDirectory(t);

  const backedUp = await runMain(['backup', backup, '--data-dir', directory]);
  const restored = await runMain(['restore', backup, '--data-dir', copy]);

  t.is(backedUp.code, 0, backedUp.stderr);
  t.regex(backedUp.stdout, /^last record +seq 40, of 20/m);
  t.is(restored.code, 0, restored.stderr);
  t.regex(restored.stdout, /^journal +40 records in 2 segments/m);
  const again = await ChildService.start(t, copy);
  await again.kill('SIGTERM');
  const [now, then] = [await contentsOf(copy), await contentsOf(directory)];
  const named = (contents: Record<string, string>, root: string) =>
    Object.entries(contents)
      .map(([path, text]) => [path.slice(root.length), text])
      // What clients asked for is no part of the ledger.
      .filter(([path]) => path !== '/clients.json');
  t.deepEqual(named(now, copy), named(then, directory));
});

test('a backup of a service without --admin, or that does not answer, ends with 75 and what to do', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory);
  const backup = join(await temporaryDirectory(t), 'backup');
  const backUp = (port: number) =>
    runMain(['backup', backup, '--data-dir', directory, '--backplane-port', `${port}`]);

  const off = await backUp(service.backplanePort);
  const none = await backUp(1);

  t.is(off.code, 75);
  t.regex(off.stderr, /start the service with --admin/);
  t.is(none.code, 75);
  t.regex(none.stderr, /name the service with --host and --backplane-port/);
  await service.kill('SIGTERM');
});

test('a backup of a service with tokens needs one of an operator, which no command line shows', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(await temporaryDirectory(t), 'tokens.json');
  await writeFile(file, encodeTokenList([entry('operator', ['admin']), entry('a', ['read'])]));
  const service = await ChildService.start(t, directory, [...admin, '--tokens-file', file]);
  const backup = join(await temporaryDirectory(t), 'backup');
  const words = ['--data-dir', directory, '--backplane-port', `${service.backplanePort}`];
  const backUp = (env: Record<string, string>) => runMain(['backup', backup, ...words], { env });

  const without = await backUp({});
  const wrong = await backUp({ REPRICER_TOKEN: tokenOf('a') });
  const right = await backUp({ REPRICER_TOKEN: `${tokenOf('operator')}\n` });

  for (const refused of [without, wrong]) {
    t.is(refused.code, 75);
    t.regex(refused.stderr, /wants a token with the scope "admin"; put it into REPRICER_TOKEN/);
  }
  t.is(right.code, 0, right.stderr);
  t.is((await service.kill('SIGTERM')).code, 0);
});

test('a service does not start on a backup, and leaves it as it is', async (t) => {
  const directory = await temporaryDirectory(t);
  await (await ChildService.start(t, directory)).kill('SIGTERM');
  const backup = join(await temporaryDirectory(t), 'backup');
  await runMain(['backup', backup, '--data-dir', directory]);
  const before = await contentsOf(backup);

  const service = ChildService.launch(t, backup);

  t.is((await service.exited).code, 64);
  t.regex(JSON.stringify(service.logLines), /is a backup; .*repricer restore/);
  t.deepEqual(await contentsOf(backup), before);
});

test('directories that make no sense end with 64, and nothing is changed', async (t) => {
  const directory = await temporaryDirectory(t);
  await (await ChildService.start(t, directory)).kill('SIGTERM');
  const link = join(await temporaryDirectory(t), 'link');
  await symlink(directory, link);
  const backup = join(await temporaryDirectory(t), 'backup');
  await runMain(['backup', backup, '--data-dir', directory]);
  const before = [await contentsOf(directory), await contentsOf(backup)];

  const ends = await Promise.all(
    [
      ['backup', '--data-dir', directory],
      ['backup', directory, '--data-dir', directory],
      ['backup', join(directory, 'backup'), '--data-dir', directory],
      ['backup', join(link, 'backup'), '--data-dir', directory],
      ['backup', backup, '--data-dir', join(directory, 'missing')],
      ['backup', backup, '--data-dir', directory, '--queue-max', '1'],
      ['restore', '--data-dir', join(backup, 'new')],
      ['restore', backup, '--data-dir', directory],
      ['restore', backup, '--data-dir', join(backup, 'new')],
      ['restore', join(backup, 'missing'), '--data-dir', `${backup} new`],
    ].map((words) => runMain(words)),
  );

  t.deepEqual(
    ends.map(({ code }) => code),
    ends.map(() => 64),
  );
  t.deepEqual([await contentsOf(directory), await contentsOf(backup)], before);
});

test('a damaged backup ends a restoration with 65, file and offset, and nothing is restored', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory);
  for (let count = 1; count <= 3; count += 1) await service.reprice('a', `${count}`);
  await service.kill('SIGTERM');
  const backup = await temporaryDirectory(t);
  await runMain(['backup', backup, '--data-dir', directory]);
  const names = await readdir(backup, { recursive: true });
  const segment =
    names.find((name) => name.startsWith('results/') && name.endsWith('.ndjson')) ?? '';
  const second = (await readFile(join(backup, segment))).indexOf('\n') + 1;
  await flipBit(join(backup, segment), second + 20);
  const copy = await temporaryDirectory(t);

  const damaged = await runMain(['restore', backup, '--data-dir', copy]);
  const none = await runMain(['restore', directory, '--data-dir', copy]);

  t.is(damaged.code, 65);
  t.true(damaged.stderr.includes(`${segment}, offset ${second}: the line is damaged`));
  t.is(none.code, 65);
  t.regex(none.stderr, /this is no backup/);
  t.deepEqual(await readdir(copy), []);
});

test('read-only on: writes get a problem of their own, reads go on, and a restart takes writes again', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory, ['--admin']);
  await service.reprice('a', '1');
  const backplane = `http://127.0.0.1:${service.backplanePort}`;

  const on = await fetch(`${backplane}/admin/read-only`, { method: 'PUT' });
  const refused = await service.reprice('a', '2');
  const read = await service.get('/api/product/a/price');
  const line = '{"productId":"a","price":2}\n';
  const headers = { 'content-type': 'application/x-ndjson' };
  const batch = await service.send('POST', '/api/reprice/batch', line, headers);
  const ready = await fetch(`${backplane}/healthz/ready`);
  const metrics = await (await fetch(`${backplane}/metrics`)).text();
  await service.kill('SIGTERM');
  const again = await ChildService.start(t, directory);
  const accepted = await again.reprice('a', '2');
  await again.kill('SIGTERM');

  t.deepEqual(await on.json(), { readOnly: true, seq: 1 });
  t.is(refused.status, 503);
  t.is(refused.headers['retry-after'], '10');
  t.like(JSON.parse(refused.body), { type: '/problems/read-only' });
  t.like(JSON.parse(batch.body), { status: 503, problem: { type: '/problems/read-only' } });
  t.is(read.status, 200);
  t.is(ready.status, 503);
  t.like(await ready.json(), { reasons: [{ reason: 'read-only' }] });
  t.regex(metrics, /^repricer_read_only 1$/m);
  t.is(accepted.headers['repricer-seq'], '2');
});
