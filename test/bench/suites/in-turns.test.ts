import test from 'ava';
import { inTurns } from './in-turns.ts';

test('subjects take turns round by round, and the first round counts for nothing', async (t) => {
  const calls: string[] = [];

  const results = await inTurns(['a', 'b'], 2, async (subject, isWarmUp) => {
    calls.push(isWarmUp ? `${subject} warms up` : subject);
    return calls.length;
  });

  t.deepEqual(calls, ['a warms up', 'b warms up', 'a', 'b', 'a', 'b']);
  t.deepEqual(
    [...results],
    [
      ['a', [3, 5]],
      ['b', [4, 6]],
    ],
  );
});
