import test from 'ava';
import { oneAhead } from '../../../src/http/write/one-ahead.ts';

/** A source that says what it has made, and may fail at a number. */
function source(failsAt = Number.POSITIVE_INFINITY) {
  const made: number[] = [];
  const state = { isEnded: false };
  async function* numbers(): AsyncGenerator<number> {
    try {
      for (let number = 1; number <= 4; number += 1) {
        if (number === failsAt) throw new Error('broken');
        made.push(number);
        yield number;
      }
    } finally {
      state.isEnded = true;
    }
  }
  return { made, state, values: oneAhead(numbers()) };
}

async function turns(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test('the next value is made while one is worked on, and no further one', async (t) => {
  const { made, values } = source();

  await values.next();
  await turns();

  t.deepEqual(made, [1, 2]);
});

test('all values come, in order', async (t) => {
  const { values } = source();
  const taken: number[] = [];

  for await (const value of values) taken.push(value);

  t.deepEqual(taken, [1, 2, 3, 4]);
});

test('a failure comes in its place, and not while another value is worked on', async (t) => {
  const { values } = source(2);

  const first = await values.next();
  await turns();

  t.is(first.value, 1);
  await t.throwsAsync(values.next(), { message: 'broken' });
});

test('when no more are taken the source is ended, also where it failed meanwhile', async (t) => {
  for (const failsAt of [2, 9]) {
    const { values, state } = source(failsAt);

    for await (const value of values) {
      t.is(value, 1);
      await turns();
      break;
    }
    await turns();

    t.true(state.isEnded);
  }
});
