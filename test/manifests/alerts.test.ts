import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { lackOf } from '../support/needs.ts';
import { projectRoot } from '../support/project-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { testUnless } from '../support/test-unless.ts';
import { alertRulesFile, readAlertRules, requirePromtool } from './alert-rules.ts';

const testWithPromtool = testUnless(lackOf('promtool'));

/** Values of series, minute by minute, in promtool's notation: `start+stepxminutes`. */
type Series = Readonly<Record<string, string>>;

/** How long everything was well, and is observed. */
const minutes = 120;
const mebibyte = 2 ** 20;

/** A service that has been up for two hours, with a load that it can take. */
const calm: Series = {
  repricer_ready: `1+0x${minutes}`,
  process_start_time_seconds: `-90000+0x${minutes}`,
  'repricer_http_refusals_total{code="JOURNAL_DAMAGED"}': `0+0x${minutes}`,
  'repricer_http_refusals_total{code="QUEUE_FULL"}': `7+0x${minutes}`,
  'repricer_http_refusals_total{code="BACKLOG_FULL"}': `3+0x${minutes}`,
  'repricer_http_refusals_total{code="BAD_REQUEST"}': `0+600x${minutes}`,
  'repricer_derived_files_rebuilt_total{case="product-damaged"}': `0+0x${minutes}`,
  repricer_free_bytes: `${20_000 * mebibyte}-${mebibyte / 10}x${minutes}`,
  repricer_free_bytes_min: `${1024 * mebibyte}+0x${minutes}`,
  repricer_free_files: `1000000-1x${minutes}`,
  repricer_queue_length: `5+0x${minutes}`,
  'repricer_sync_seconds_bucket{le="0.1"}': `0+600x${minutes}`,
  'repricer_sync_seconds_bucket{le="0.3"}': `0+600x${minutes}`,
  'repricer_sync_seconds_bucket{le="1"}': `0+600x${minutes}`,
  'repricer_sync_seconds_bucket{le="+Inf"}': `0+600x${minutes}`,
  repricer_sync_seconds_count: `0+600x${minutes}`,
  repricer_aggregation_lag_seconds: `1+0x${minutes}`,
  repricer_aggregation_lag_records: `5000+0x${minutes}`,
  repricer_aggregation_lag_records_max: `200000+0x${minutes}`,
};

/** What takes the place of, or comes beside, series of a calm service. */
interface Trouble {
  readonly fires: readonly Series[];
  /** Looks a little like it, and is nobody's concern. */
  readonly passes: readonly Series[];
}

const calmUntil = minutes - 60;
const never = '_x0';

const troubles: Readonly<Record<string, Trouble>> = {
  RepricerAbsent: {
    fires: [{ repricer_ready: never }, { repricer_ready: `1+0x${minutes - 15} _x15` }],
    // A pod that is replaced is gone for less.
    passes: [
      { repricer_ready: `1+0x${calmUntil} _x2 1+0x57` },
      { repricer_ready: `0+0x${minutes}` },
    ],
  },
  RepricerNotReady: {
    fires: [
      { 'repricer_not_ready{reason="no space"}': `_x${calmUntil} 1+0x60` },
      { 'repricer_not_ready{reason="storage failed"}': `_x${minutes - 10} 1+0x10` },
    ],
    passes: [
      { 'repricer_not_ready{reason="recovering"}': `_x${minutes - 3} 1+0x3` },
      { 'repricer_not_ready{reason="draining"}': '1+0x4' },
    ],
  },
  RepricerRestarting: {
    fires: [{ process_start_time_seconds: `-90000+0x${minutes - 20} 0+300x20` }],
    passes: [
      { process_start_time_seconds: `-90000+0x${minutes - 20} 1000+0x20` },
      { 'process_start_time_seconds{instance="another"}': `0+60x${minutes}` },
    ],
  },
  RepricerJournalDamaged: {
    fires: [
      { 'repricer_http_refusals_total{code="JOURNAL_DAMAGED"}': `0+0x${calmUntil} 0+0x10 1+0x49` },
    ],
    passes: [
      { 'repricer_http_refusals_total{code="JOURNAL_DAMAGED"}': `0+0x20 1+0x${minutes - 21}` },
    ],
  },
  RepricerFileRebuilt: {
    fires: [
      {
        'repricer_derived_files_rebuilt_total{case="product-damaged"}': `0+0x${calmUntil} 1+0x60`,
      },
      {
        process_start_time_seconds: `${(minutes - 30) * 60}+0x${minutes}`,
        'repricer_derived_files_rebuilt_total{case="checkpoint-damaged"}': `1+0x${minutes}`,
      },
    ],
    passes: [
      {
        process_start_time_seconds: `60+0x${minutes}`,
        'repricer_derived_files_rebuilt_total{case="checkpoint-damaged"}': `1+0x${minutes}`,
      },
    ],
  },
  RepricerDiskLow: {
    fires: [
      { repricer_free_bytes: `${2000 * mebibyte}+0x${minutes}` },
      { repricer_free_bytes: `${20_000 * mebibyte}-${4 * mebibyte}x${minutes}` },
      { repricer_free_files: `1000000-1x${calmUntil - 10} 1000-1x70` },
    ],
    passes: [
      // A snapshot's worth of bytes for a while.
      {
        repricer_free_bytes: `${20_000 * mebibyte}+0x${minutes - 30} ${1500 * mebibyte}+0x3 ${20_000 * mebibyte}+0x25`,
      },
      { repricer_free_files: never },
      {
        repricer_free_bytes_min: `0+0x${minutes}`,
        repricer_free_bytes: `${500 * mebibyte}+0x${minutes}`,
      },
    ],
  },
  RepricerCommitSlow: {
    fires: [
      {
        'repricer_sync_seconds_bucket{le="0.1"}': `0+500x${minutes}`,
        'repricer_sync_seconds_bucket{le="0.3"}': `0+580x${minutes}`,
      },
      {
        ...stopped('repricer_sync_seconds_bucket{le="0.1"}'),
        ...stopped('repricer_sync_seconds_bucket{le="0.3"}'),
        ...stopped('repricer_sync_seconds_bucket{le="1"}'),
        ...stopped('repricer_sync_seconds_bucket{le="+Inf"}'),
        ...stopped('repricer_sync_seconds_count'),
      },
    ],
    passes: [
      { 'repricer_sync_seconds_bucket{le="0.1"}': `0+500x${minutes}` },
      {
        repricer_queue_length: `0+0x${minutes}`,
        'repricer_sync_seconds_bucket{le="0.1"}': `0+0x${minutes}`,
        'repricer_sync_seconds_bucket{le="0.3"}': `0+0x${minutes}`,
        'repricer_sync_seconds_bucket{le="1"}': `0+0x${minutes}`,
        'repricer_sync_seconds_bucket{le="+Inf"}': `0+0x${minutes}`,
        repricer_sync_seconds_count: `0+0x${minutes}`,
      },
    ],
  },
  RepricerQueueRefuses: {
    fires: [
      { 'repricer_http_refusals_total{code="QUEUE_FULL"}': `0+60x${minutes}` },
      { 'repricer_http_refusals_total{code="BACKLOG_FULL"}': `0+0x${calmUntil} 0+30x60` },
    ],
    passes: [
      { 'repricer_http_refusals_total{code="QUEUE_FULL"}': `0+0x${minutes - 8} 0+60x8` },
      { 'repricer_http_refusals_total{code="PRECONDITION_FAILED"}': `0+600x${minutes}` },
    ],
  },
  RepricerAggregationBehind: {
    fires: [
      { repricer_aggregation_lag_seconds: `1+0x${calmUntil} 0+60x60` },
      { repricer_aggregation_lag_records: `170000+0x${minutes}` },
    ],
    passes: [
      { repricer_aggregation_lag_seconds: `1+0x${minutes - 6} 100+60x6` },
      { repricer_aggregation_lag_records: `150000+0x${minutes}` },
    ],
  },
  RepricerTokensBroken: {
    fires: [{ repricer_tokens_file_broken: `0+0x20 1+0x${minutes - 21}` }],
    // It was mended since, or is being written in place.
    passes: [
      { repricer_tokens_file_broken: `0+0x20 1+0x60 0+0x${minutes - 82}` },
      { repricer_tokens_file_broken: `0+0x${minutes - 1} 1` },
    ],
  },
};

function stopped(series: string): Series {
  return { [series]: `0+600x${minutes - 20} ${600 * (minutes - 20)}+0x20` };
}

test('every alert says how grave it is, what it means, and where to read what to do', async (t) => {
  const rules = await readAlertRules();
  const runbooks = await readFile(join(await projectRoot(), 'docs/operations.md'), 'utf8');

  for (const { alert, annotations } of rules) {
    t.is(annotations.runbook, `docs/operations.md#${alert.toLowerCase()}`);
    t.true(runbooks.includes(`\n#### ${alert}\n`), `${alert} has no section`);
  }
  const sections = [...runbooks.matchAll(/^#### (Repricer\w+)$/gm)].map(([, name]) => name);
  t.deepEqual(sections.toSorted(), rules.map(({ alert }) => alert).toSorted());
});

test('every alert is tried out', async (t) => {
  const rules = await readAlertRules();

  t.deepEqual(
    Object.keys(troubles),
    rules.map(({ alert }) => alert),
  );
});

testWithPromtool('Prometheus takes the rules', async (t) => {
  requirePromtool(t, 'check', 'rules', join(await projectRoot(), alertRulesFile));
});

testWithPromtool('nothing fires for a service that is well', async (t) => {
  await expectFiring(t, [{ series: calm, alerts: [] }]);
});

for (const [alert, { fires, passes }] of Object.entries(troubles)) {
  testWithPromtool(
    `${alert} fires when it should, alone, and not for what only looks like it`,
    async (t) => {
      await expectFiring(t, [
        ...fires.map((series) => ({ series: { ...calm, ...series }, alerts: [alert] })),
        ...passes.map((series) => ({ series: { ...calm, ...series }, alerts: [] })),
      ]);
    },
  );
}

interface Expectation {
  readonly series: Series;
  readonly alerts: readonly string[];
}

/** Has promtool run the rules over the series, and compare what fires at their end. */
async function expectFiring(t: ExecutionContext, expectations: readonly Expectation[]) {
  const file = join(await temporaryDirectory(t), 'test.json');
  const tests = expectations.map(({ series, alerts }) => ({
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({
      series: withInstance(name),
      values,
    })),
    promql_expr_test: [
      {
        expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: `${minutes - 1}m`,
        exp_samples: alerts.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 })),
      },
    ],
  }));
  const rules = join(await projectRoot(), alertRulesFile);
  const text = JSON.stringify({ rule_files: [rules], evaluation_interval: '1m', tests });
  await writeFile(file, text);

  requirePromtool(t, 'test', 'rules', file);
}

/** As Prometheus adds it to whatever it scrapes. */
function withInstance(series: string): string {
  if (series.includes('instance=')) return series;
  const label = 'instance="10.0.0.7:9102"';
  return series.endsWith('}') ? series.replace('}', `,${label}}`) : `${series}{${label}}`;
}
