import { type FaultResult, isGood } from './campaign.ts';

/** The table of a campaign, with every violation and note after it. */
export function formatReport(results: readonly FaultResult[], size: string, seed: string): string {
  const header = [
    'fault',
    'what happens',
    'trials',
    'acknowledged',
    'lost',
    'phantom',
    'violations',
    's',
  ];
  const rows = results.map((result) => [result.id, result.title, ...countsOf(result)]);
  const total = ['', 'all', ...countsOf(sum(results))];
  return [
    formatTable([header, ...rows, total]),
    '',
    ...results.flatMap(({ id, notes }) => notes.map((note) => `${id}  ${note}`)),
    ...results.flatMap(violationsOf),
    ...results.flatMap(({ id, failure }) => (failure ? [`${id}  FAILED ${failure}`] : [])),
    ...results.flatMap(({ id, skipped }) => (skipped ? [`${id}  SKIPPED: ${skipped}`] : [])),
    `size ${size}, seed ${seed}: ${results.every(isGood) ? 'all well' : 'NOT WELL'}${skippedOf(results)}`,
  ].join('\n');
}

/** What is said beside "all well", so that nobody takes it for more than it is. */
function skippedOf(results: readonly FaultResult[]): string {
  const count = results.filter(({ skipped }) => skipped !== undefined).length;
  return count === 0 ? '' : `, ${count} of ${results.length} SKIPPED`;
}

const violationsShown = 10;

function violationsOf({ id, violations, violationCount }: FaultResult): readonly string[] {
  const shown = violations.slice(0, violationsShown).map((text) => `${id}  VIOLATION ${text}`);
  const more = violationCount - shown.length;
  return more > 0 ? [...shown, `${id}  … and ${more} more`] : shown;
}

type Counts = Pick<
  FaultResult,
  'trials' | 'acknowledged' | 'lost' | 'phantom' | 'violationCount' | 'seconds' | 'skipped'
>;

function countsOf(counts: Counts): readonly string[] {
  if (counts.skipped !== undefined) return ['SKIPPED', '', '', '', '', ''];
  const { trials, acknowledged, lost, phantom, violationCount, seconds } = counts;
  return [trials, acknowledged, lost, phantom, violationCount, Math.round(seconds)].map(String);
}

function sum(results: readonly FaultResult[]): Counts {
  const of = (
    name: 'trials' | 'acknowledged' | 'lost' | 'phantom' | 'violationCount' | 'seconds',
  ) => results.reduce((total, result) => total + result[name], 0);
  return {
    trials: of('trials'),
    acknowledged: of('acknowledged'),
    lost: of('lost'),
    phantom: of('phantom'),
    violationCount: of('violationCount'),
    seconds: of('seconds'),
  };
}

/** Columns padded to their widest cell; the first two to the right, numbers to the left. */
function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const pad = (cell: string, column: number) => {
    const width = widths?.[column] ?? 0;
    return column < 2 ? cell.padEnd(width) : cell.padStart(width);
  };
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}
