import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { PacedJob } from './load-job.ts';
import { PacedRun } from './paced-run.ts';

const answerMsMax = 20_000;
const never = new AbortController().signal;

/** Starts a server, and gives a job that asks it a hundred times a second for half a second. */
async function jobFor(t: ExecutionContext, listener: RequestListener): Promise<PacedJob> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  return {
    kind: 'paced',
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    requests: { route: 'get', paths: ['/'] },
    ...{ connections: 2, perSecond: 100, seconds: 0.5 },
  };
}

test('requests come at the rate that was asked for, however fast the answers are', async (t) => {
  const job = await jobFor(t, (_, response) => response.end('{}'));

  const { answers, badStatuses } = await new PacedRun(job).run(answerMsMax, never);

  t.true(answers >= 40 && answers <= 50, `${answers} answers`);
  t.deepEqual(badStatuses, {});
});

test('a server that halts is seen by every request that is due meanwhile, not by one a connection', async (t) => {
  let halt: Promise<void> | undefined;
  const job = await jobFor(t, async (_, response) => {
    halt ??= delay(400);
    await halt;
    response.end('{}');
  });

  const { p50Ms } = await new PacedRun(job).run(answerMsMax, never);

  // Of fifty requests forty are due while it halts; connections that wait for answers would send two.
  t.true(p50Ms > 50, `${p50Ms} ms`);
});

test('it ends before its time when it is told that it was enough', async (t) => {
  const job = await jobFor(t, (_, response) => response.end('{}'));
  const enough = new AbortController();

  const run = new PacedRun({ ...job, seconds: 60 }).run(answerMsMax, enough.signal);
  await delay(100);
  enough.abort();

  t.true((await run).seconds < 30);
});

test('a status other than the good one is counted as wrong', async (t) => {
  const job = await jobFor(t, (_, response) => {
    response.statusCode = 503;
    response.end('{}');
  });

  const { answers, badStatuses } = await new PacedRun(job).run(answerMsMax, never);

  t.is(answers, 0);
  t.deepEqual(Object.keys(badStatuses), ['503']);
});
