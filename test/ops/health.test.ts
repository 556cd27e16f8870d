import test from 'ava';
import { Health } from '../../src/ops/health.ts';

test('it is ready when no reason stands against it', (t) => {
  const health = new Health();
  t.true(health.isReady);

  health.notReady('recovering');
  health.notReady('no space', '10 bytes are free');
  t.false(health.isReady);
  t.deepEqual(health.reasons, [
    { reason: 'recovering' },
    { reason: 'no space', detail: '10 bytes are free' },
  ]);

  health.cleared('recovering');
  t.false(health.isReady);
  health.cleared('no space');

  t.true(health.isReady);
  t.deepEqual(health.reasons, []);
});

test('a reason that is said again stands once, with its new detail', (t) => {
  const health = new Health();

  health.notReady('no space', '10 bytes are free');
  health.notReady('no space', '5 bytes are free');

  t.deepEqual(health.reasons, [{ reason: 'no space', detail: '5 bytes are free' }]);
});

test('clearing what does not stand changes nothing', (t) => {
  const health = new Health();
  health.notReady('draining');

  health.cleared('recovering');

  t.deepEqual(health.reasons, [{ reason: 'draining' }]);
});
