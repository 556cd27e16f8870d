import test from 'ava';
import { ratioOf, type SuiteResult } from './measure.ts';
import { isMet, missedTargets } from './targets.ts';

const service = { subject: 'Repricer', values: [130, 150, 90] };
const peer = { subject: 'bare Koa', values: [100, 100, 100] };

function resultWith(atLeast: number): SuiteResult {
  const ratios = [ratioOf(service, peer, { atLeast })];
  const measure = { title: 'reprice', unit: 'requests/s', series: [service, peer], ratios };
  return { measures: [measure], skipped: [], notes: [], charts: [] };
}

test('a ratio is one of values of the same round', (t) => {
  const { title, values } = ratioOf(service, peer);

  t.is(title, 'Repricer : bare Koa');
  t.deepEqual(values, [1.3, 1.5, 0.9]);
});

test('a target is met when the median of the rounds reaches it', (t) => {
  t.true(isMet({ atLeast: 1.3 }, [1.3, 1.5, 0.9]));
  t.false(isMet({ atLeast: 1.31 }, [1.3, 1.5, 0.9]));
  t.true(isMet({ atMost: 1.3 }, [1.3, 1.5, 0.9]));
  t.false(isMet({ atMost: 1.29 }, [1.3, 1.5, 0.9]));
});

test('each missed target is told with its ratio and its aim, and one that is met is not', (t) => {
  const missed = missedTargets({ write: resultWith(1.4), read: resultWith(1.2) });

  t.deepEqual(missed, ['write: reprice, Repricer : bare Koa: 1.30, and should be ≥ 1.4']);
});

test('a ratio that could not be measured misses its target', (t) => {
  t.false(isMet({ atLeast: 1 }, [Number.NaN]));
  t.false(isMet({ atMost: 1 }, [Number.NaN]));
});

test('a peer that could not be started misses the targets that name it, and no others', (t) => {
  const skipped = [{ subject: 'Koa + Redis', reason: 'redis-server is not installed' }];
  const result = { measures: [], skipped, notes: [], charts: [] };

  t.deepEqual(missedTargets({ write: result, read: result }), [
    'write: no Koa + Redis: redis-server is not installed',
  ]);
});
