import test from 'ava';
import { PacedWork } from '../../../src/http/feed/paced-work.ts';

test('a wake is not lost when it comes right after a slice that left nothing', async (t) => {
  let slices = 0;
  await new Promise<void>((resolve) => {
    const work = new PacedWork({
      slice: () => {
        slices += 1;
        if (slices === 1) process.nextTick(() => work.wake());
        else resolve();
        return false;
      },
      mustRest: () => false,
    });

    work.wake();
  });

  t.is(slices, 2);
});

test('while it must rest, a slice of 2 ms is followed by a rest of 48 ms', async (t) => {
  const restsMs: number[] = [];
  await new Promise<void>((resolve) => {
    let endedMs = -Infinity;
    const work = new PacedWork({
      slice: (isOver) => {
        restsMs.push(performance.now() - endedMs);
        while (!isOver());
        endedMs = performance.now();
        const isDone = restsMs.length === 10;
        if (isDone) resolve();
        return !isDone;
      },
      mustRest: () => true,
    });

    work.wake();
  });

  // Node's timers count whole milliseconds, so one may end a little sooner.
  t.true(Math.min(...restsMs) > 46, `${restsMs}`);
});
