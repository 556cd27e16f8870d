import test from 'ava';
import type { FaultResult } from './campaign.ts';
import { formatReport } from './campaign-report.ts';
import { formatMutation, isNotMissed, type MutantResult } from './mutation.ts';

test('a campaign without a violation is all well', (t) => {
  t.is(lastLine([result({})]), 'size quick, seed 1: all well');
});

test('a violation, a fault without a trial and one that ended outside its trials are not well', (t) => {
  for (const bad of [
    { violationCount: 1 },
    { trials: 0 },
    { failure: 'its process ended with 1' },
  ]) {
    t.is(lastLine([result({}), result(bad)]), 'size quick, seed 1: NOT WELL', JSON.stringify(bad));
  }
});

test('what was skipped is counted in the last line', (t) => {
  const report = lastLine([result({}), result({ trials: 0, skipped: 'needs root' })]);

  t.is(report, 'size quick, seed 1: all well, 1 of 2 SKIPPED');
});

test('a planted bug that no fault could look for is neither found nor missed', (t) => {
  const unknown = mutant({ skipped: ['F3'] });

  t.true(isNotMissed(unknown));
  t.regex(formatMutation([unknown]), /0 of 1 planted bugs found, 1 SKIPPED$/);
});

test('a planted bug that one fault found and another missed is not found', (t) => {
  const half = mutant({ foundBy: ['F3'], missedBy: ['F4'] });

  t.false(isNotMissed(half));
  t.regex(formatMutation([half]), /0 of 1 planted bugs found$/);
});

function lastLine(results: readonly FaultResult[]): string | undefined {
  return formatReport(results, 'quick', '1').split('\n').at(-1);
}

function result(other: Partial<FaultResult>): FaultResult {
  return {
    ...{ id: 'F0', title: 'nothing', trials: 1, acknowledged: 1, lost: 0, phantom: 0 },
    ...{ violations: [], violationCount: 0, notes: [], seconds: 1 },
    ...other,
  };
}

function mutant(other: Partial<MutantResult>): MutantResult {
  return { title: 'a bug', foundBy: [], missedBy: [], skipped: [], ...other };
}
