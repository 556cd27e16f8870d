import test from 'ava';
import { Metrics } from '../../src/ops/metrics.ts';
import { createStorageReporter } from '../../src/ops/storage-reporter.ts';
import { createRecordingLog } from './recording-log.ts';
import { sampleOf, unknownReadings } from './samples.ts';

function setup() {
  const log = createRecordingLog();
  const metrics = new Metrics(() => unknownReadings);
  return { log, metrics, reporter: createStorageReporter(log, metrics) };
}

test('a synced batch is measured, and logged only when its sync took more than a second', async (t) => {
  const { log, metrics, reporter } = setup();

  reporter.batchSynced(5, 1);
  t.deepEqual(log.lines, []);
  reporter.batchSynced(7, 1.5);

  const fields = { records: 7, syncSeconds: 1.5 };
  t.deepEqual(log.lines, [{ level: 'warn', message: 'sync was slow', fields }]);
  const text = await metrics.render();
  t.is(sampleOf(text, 'repricer_batch_records_sum'), 12);
  t.is(sampleOf(text, 'repricer_sync_seconds_count'), 2);
});

test('a batch that hangs on its way to the disk is logged while it does', (t) => {
  const { log, reporter } = setup();

  reporter.batchHangs(7, 1.2);

  const fields = { records: 7, seconds: 1.2 };
  t.deepEqual(log.lines, [{ level: 'warn', message: 'sync hangs', fields }]);
});

test('how far each stage has come is measured and logged', async (t) => {
  const { log, metrics, reporter } = setup();

  reporter.segmentSealed('a.ndjson', 3, 30);
  reporter.aggregated(20);
  reporter.checkpointed(10);

  const text = await metrics.render();
  t.is(sampleOf(text, 'repricer_sealed_seq'), 30);
  t.is(sampleOf(text, 'repricer_aggregated_seq'), 20);
  t.is(sampleOf(text, 'repricer_checkpoint_seq'), 10);
  t.deepEqual(
    log.lines.map(({ level, fields }) => ({ level, fields })),
    [
      { level: 'info', fields: { file: 'a.ndjson', rows: 3, lastSeq: 30 } },
      { level: 'debug', fields: { seq: 20 } },
      { level: 'debug', fields: { seq: 10 } },
    ],
  );
});

test('a cut tail is counted, and logged with the place where its bytes were kept', async (t) => {
  const { log, metrics, reporter } = setup();

  reporter.tornTailCut('a.ndjson.open', 100, 20, 'a.broken');

  t.is(sampleOf(await metrics.render(), 'repricer_torn_tails_cut_total'), 1);
  t.like(log.lines[0], {
    level: 'warn',
    fields: { file: 'a.ndjson.open', offset: 100, bytes: 20, savedAs: 'a.broken' },
  });
});

test('failed background work is counted, and logged as an error with its cause', async (t) => {
  const { log, metrics, reporter } = setup();
  const error = new Error('EIO');

  reporter.backgroundWorkFailed('aggregation', error, 500);

  const series = 'repricer_background_failures_total{work="aggregation"}';
  t.is(sampleOf(await metrics.render(), series), 1);
  t.like(log.lines[0], { level: 'error', fields: { work: 'aggregation', retryMs: 500, error } });
});

test('a derived file that was made anew is logged with the reason', (t) => {
  const { log, reporter } = setup();

  reporter.derivedFileRebuilt('checkpoint.json', 'checkpoint-missing', 'it was missing');

  const fields = { file: 'checkpoint.json', reason: 'it was missing' };
  t.like(log.lines[0], { level: 'warn', fields });
});

test('keys that a start left out are logged with how many there are', (t) => {
  const { log, reporter } = setup();

  reporter.keysLeftOut(7, 3);

  t.like(log.lines[0], { level: 'warn', fields: { keys: 7, keysMax: 3 } });
});

test('the loss and the return of room are logged', (t) => {
  const { log, reporter } = setup();

  reporter.roomChanged(false, 10);
  reporter.roomChanged(true, 20);

  t.like(log.lines[0], { level: 'warn', fields: { freeBytes: 10 } });
  t.like(log.lines[1], { level: 'info', fields: { freeBytes: 20 } });
});
