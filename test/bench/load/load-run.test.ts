import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import type { RequestsJob } from './load-job.ts';
import { LoadRun } from './load-run.ts';

const answerMsMax = 20_000;

/** Starts a server, and gives a job that sends each of so many paths to it once. */
async function jobFor(t: ExecutionContext, listener: RequestListener, paths: number) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  const job: RequestsJob = {
    kind: 'requests',
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    requests: { route: 'get', paths: Array.from({ length: paths }, (_, index) => `/${index}`) },
    ...{ connections: 1, seconds: 0, sendsAll: true, mayRefuse: false },
  };
  return { job, server };
}

test('with no seconds each request is sent once, over all connections', async (t) => {
  const asked: (string | undefined)[] = [];
  const { job } = await jobFor(
    t,
    (request, response) => {
      asked.push(request.url);
      response.end('{}');
    },
    20,
  );

  const { answers, badStatuses } = await new LoadRun({ ...job, connections: 3 }).run(answerMsMax);

  t.is(answers, 20);
  t.deepEqual(badStatuses, {});
  t.is(new Set(asked).size, 20);
});

test('refusals are counted beside the answers where they are allowed, and wrong where they are not', async (t) => {
  const { job } = await jobFor(
    t,
    (request, response) => {
      response.statusCode = Number(request.url?.slice(1)) % 4 === 0 ? 503 : 200;
      response.end('{}');
    },
    20,
  );

  const allowed = await new LoadRun({ ...job, mayRefuse: true }).run(answerMsMax);
  const wrong = await new LoadRun(job).run(answerMsMax);

  t.like(allowed, { answers: 15, refused: 5, badStatuses: {} });
  t.like(wrong, { answers: 15, refused: 0, badStatuses: { 503: 5 } });
});

test('a connection is left for a new one before the service would end it', async (t) => {
  let most = 0;
  const requestsOn = new Map<unknown, number>();
  const { job } = await jobFor(
    t,
    ({ socket }, response) => {
      requestsOn.set(socket, (requestsOn.get(socket) ?? 0) + 1);
      most = Math.max(most, requestsOn.get(socket) ?? 0);
      response.end('{}');
    },
    10_050,
  );

  const { answers } = await new LoadRun(job).run(answerMsMax);

  t.is(answers, 10_050);
  t.true(most < 10_000, `${most} requests on one connection`);
});
