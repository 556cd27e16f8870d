import { appendFile, readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readConfig } from '../src/config/read-config.ts';
import { createLog } from '../src/ops/log.ts';
import { startService } from '../src/service.ts';
import { sampleOf } from './ops/samples.ts';
import { ChildService } from './support/child-service.ts';
import { FaultyFiles } from './support/faulty-files.ts';
import { TestClock } from './support/records.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

/* Each figure moves in a scrape when what it tells of happens to a whole service. */

test('what reprices came to is counted, the lines of batches too', async (t) => {
  const { reprice, batch, scrape } = await start(t);

  await reprice('a', 1, { 'idempotency-key': 'k' });
  await reprice('a', 1, { 'idempotency-key': 'k' });
  await reprice('a', 2, { 'if-none-match': '*' });
  await batch([
    { productId: 'a', price: 3, expectedPreviousPrice: 9 },
    { productId: 'a', price: 4 },
    { productId: 'b', price: 5 },
  ]);

  const text = await scrape();
  const reprices = (outcome: string) =>
    sampleOf(text, `repricer_reprices_total{outcome="${outcome}"}`);
  t.is(reprices('recorded'), 3);
  t.is(reprices('replayed'), 1);
  t.is(reprices('PRECONDITION_FAILED'), 1);
  t.is(reprices('PRICE_CONFLICT'), 1);
});

test('what clients asked for and got is measured from each start on', async (t) => {
  const first = await start(t);
  const counted = async ({ scrape }: { readonly scrape: () => Promise<string> }) => {
    const text = await scrape();
    return ['requests', 'accepted', 'refused'].map((what) =>
      sampleOf(text, `repricer_client_${what}_total{client="(anonymous)"}`),
    );
  };

  await first.reprice('a', 1);
  await first.reprice('a', 2, { 'if-none-match': '*' });
  const before = await counted(first);
  await first.stop();
  const second = await start(t, first.directory);
  const unseen = await counted(second);
  await second.reprice('a', 3);

  t.deepEqual(before, [2, 1, 1]);
  t.deepEqual(unseen, [undefined, undefined, undefined]);
  t.deepEqual(await counted(second), [1, 1, 0]);
});

test('refused requests are counted by code, also those that were none for the parser', async (t) => {
  const { reprice, port, scrape } = await start(t);

  await reprice('a', 1, { 'if-match': '"7"' });
  await reprice('a', -1);
  await answerTo(port, 'no request at all\r\n\r\n');

  const text = await scrape();
  t.is(sampleOf(text, 'repricer_http_refusals_total{code="PRECONDITION_FAILED"}'), 1);
  t.is(sampleOf(text, 'repricer_http_refusals_total{code="BAD_REQUEST"}'), 2);
  t.is(sampleOf(text, 'repricer_http_refusals_total{code="QUEUE_FULL"}'), 0);
});

test('a sync that hangs is counted while it does, and what waits behind it is timed', async (t) => {
  const { files, reprice, until, scrape } = await start(t);
  const hold = files.hold('datasync', journal);

  const first = reprice('a', 1);
  await hold.reached();
  const second = reprice('b', 2);
  await until('repricer_queue_length', (length) => length === 2);
  const sinceMs = performance.now();
  await until('repricer_sync_hangs_total', (hangs) => hangs === 1);
  const waitedMs = performance.now() - sinceMs;
  hold.release();
  await Promise.all([first, second]);

  const text = await scrape();
  t.is(sampleOf(text, 'repricer_queue_wait_seconds_count'), 2);
  t.true((sampleOf(text, 'repricer_queue_wait_seconds_sum') ?? 0) >= waitedMs / 1000);
  t.is(sampleOf(text, 'repricer_sync_seconds_count'), 2);
  t.not(sampleOf(text, 'repricer_sync_seconds_bucket{le="1"}'), 2);
});

test('the lag of product files is told in records and in seconds, and ends when they catch up', async (t) => {
  const { files, reprice, until, scrape } = await start(t);
  const hold = files.hold('write', /results_by_product/);

  await reprice('a', 1);
  await hold.reached();
  await reprice('a', 2);
  const [before, after] = [await scrape(), await scrape()];
  hold.release();

  t.is(sampleOf(before, 'repricer_aggregation_lag_records'), 2);
  const seconds = [before, after].map((text) => sampleOf(text, 'repricer_aggregation_lag_seconds'));
  t.true((seconds[0] ?? 0) > 0 && (seconds[1] ?? 0) > (seconds[0] ?? 0), `${seconds}`);
  await until('repricer_aggregation_lag_records', (records) => records === 0);
  t.is(sampleOf(await scrape(), 'repricer_aggregation_lag_seconds'), 0);
});

test('the room on the volume is told in bytes and files, and its lack as a reason', async (t) => {
  const { files, until, scrape } = await start(t);
  const reason = 'repricer_not_ready{reason="no space"}';

  files.setRoom({ freeBytes: 5000, freeFiles: 0 });
  await until(reason, (stands) => stands === 1);
  const text = await scrape();
  files.setRoom({ freeBytes: 5000, freeFiles: Number.POSITIVE_INFINITY });
  await until(reason, (stands) => stands === undefined);

  t.is(sampleOf(text, 'repricer_free_bytes'), 5000);
  t.is(sampleOf(text, 'repricer_free_bytes_min'), 0);
  t.is(sampleOf(text, 'repricer_free_files'), 0);
  t.is(sampleOf(text, 'repricer_ready'), 0);
  t.is(sampleOf(await scrape(), 'repricer_free_files'), undefined);
});

test('a clock that steps back is told as its distance from the newest record', async (t) => {
  const { clock, reprice, scrape } = await start(t);
  await reprice('a', 1);
  const before = await scrape();

  clock.advanceMs(-3_600_000);

  t.is(sampleOf(before, 'repricer_clock_skew_seconds'), 0);
  const skew = sampleOf(await scrape(), 'repricer_clock_skew_seconds') ?? 0;
  t.true(skew > 3599.9 && skew <= 3600, `${skew}`);
});

test('a process that had to cut a torn tail and make a file anew tells of both', async (t) => {
  const directory = await temporaryDirectory(t);
  const killed = await ChildService.start(t, directory);
  await killed.reprice('a', '1');
  await killed.kill('SIGKILL');
  const files = await readdir(join(directory, 'results'), { recursive: true });
  const open = files.find((file) => file.endsWith('.open')) ?? '';
  await appendFile(join(directory, 'results', open), '{"seq":2,"batch":2,"prod');
  await writeFile(join(directory, 'checkpoint.json'), 'no checkpoint\n');

  const service = await ChildService.start(t, directory);
  const text = await scrapeOf(service.backplanePort);

  t.is(sampleOf(text, 'repricer_torn_tails_cut_total'), 1);
  const rebuilt = 'repricer_derived_files_rebuilt_total{case="checkpoint-damaged"}';
  t.is(sampleOf(text, rebuilt), 1);
  t.is((await service.kill('SIGTERM')).code, 0);
});

const journal = /results\/date=/;

async function start(t: ExecutionContext, dataDir?: string) {
  const directory = dataDir ?? (await temporaryDirectory(t));
  const flags = ['--port', '0', '--backplane-port', '0', '--free-bytes-min', '0'];
  const config = readConfig({}, ['--data-dir', directory, '--flush-interval-ms', '1', ...flags]);
  const [files, clock] = [new FaultyFiles(), new TestClock()];
  const service = await startService(config, {
    files,
    clock: clock.read,
    log: createLog({ level: 'error', write: async () => {}, isTerminal: false }),
    onFailure: (error) => t.fail(error.message),
    onReloadAsked: () => {},
  });
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= service.stop();
    return stopped;
  };
  t.teardown(stop);
  const url = `http://127.0.0.1:${service.port}/api/reprice`;
  const scrape = () => scrapeOf(service.backplanePort);
  const send = (path: string, type: string, body: string, headers = {}) =>
    fetch(url + path, { method: 'POST', headers: { 'content-type': type, ...headers }, body });
  return {
    directory,
    stop,
    files,
    clock,
    port: service.port,
    scrape,
    reprice: (productId: string, price: number, headers = {}) =>
      send('', 'application/json', JSON.stringify({ productId, price }), headers),
    batch: async (lines: readonly object[]) =>
      (await send('/batch', 'application/json', JSON.stringify(lines))).text(),
    until: async (series: string, isWanted: (value: number | undefined) => boolean) => {
      while (!isWanted(sampleOf(await scrape(), series)));
    },
  };
}

async function scrapeOf(backplanePort: number): Promise<string> {
  return (await fetch(`http://127.0.0.1:${backplanePort}/metrics`)).text();
}

/** Sends bytes, and resolves when the connection has been closed. */
function answerTo(port: number, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.resume().on('error', () => socket.destroy());
    socket.on('close', () => resolve());
  });
}
