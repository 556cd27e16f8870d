import test from 'ava';
import fc from 'fast-check';
import { ClientRates } from '../../src/access/client-rates.ts';
import { RateBucket } from '../../src/access/rate-bucket.ts';

test('in no stretch of time is more taken than the burst and what came back in it', (t) => {
  const limits = { clientRate: 10, clientBurst: 5 };
  const steps = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 0, max: 9 })),
  );

  fc.assert(
    fc.property(steps, (list) => {
      let nowMs = 0;
      const bucket = new RateBucket(limits, () => nowMs);
      const takings = list.map(([pauseMs, count]) => {
        nowMs += pauseMs;
        return { atMs: nowMs, taken: bucket.take(count) };
      });
      for (const [index, { atMs }] of takings.entries()) {
        const since = takings.slice(0, index + 1).toReversed();
        let sum = 0;
        for (const one of since) {
          sum += one.taken;
          t.true(sum <= 5 + ((atMs - one.atMs) * 10) / 1000 + 1e-6);
        }
      }
    }),
  );
});

test('what was waited for is there, also after the bucket was overdrawn', (t) => {
  let nowMs = 1000;
  const bucket = new RateBucket({ clientRate: 3, clientBurst: 4 }, () => nowMs);

  t.is(bucket.take(9), 4);
  t.is(bucket.take(1), 0);
  bucket.overdraw(6);
  t.is(bucket.take(1), 0);
  const waitMs = bucket.msUntil(2);
  nowMs += Math.ceil(waitMs);

  t.is(Math.round(waitMs), 2667);
  t.is(bucket.msUntil(2), 0);
  t.is(bucket.take(9), 2);
});

test('a bucket never holds more than the burst', (t) => {
  let nowMs = 0;
  const bucket = new RateBucket({ clientRate: 1000, clientBurst: 4 }, () => nowMs);

  nowMs += 3_600_000;

  t.is(bucket.level, 4);
  t.is(bucket.take(1), 1);
  t.is(bucket.msUntil(99), 1);
});

test('of more clients than are remembered the one that was quiet the longest begins anew', (t) => {
  const rates = new ClientRates({ clientRate: 1, clientBurst: 2 }, () => 0);
  rates.bucketOf('first').take(2);
  rates.bucketOf('second').take(2);

  for (let number = 0; number < 9_998; number += 1) rates.bucketOf(`other ${number}`);
  rates.bucketOf('first');
  rates.bucketOf('one too many');

  t.is(rates.bucketOf('first').level, 0);
  t.is(rates.bucketOf('second').level, 2);
});
