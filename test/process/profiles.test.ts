import { request } from 'node:http';
import test from 'ava';
import { z } from 'zod';
import { ChildService } from '../support/child-service.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** What DevTools need of a `.cpuprofile`: Profiler.Profile of the DevTools protocol. */
const cpuProfile = z.object({
  nodes: z.array(z.object({ id: z.int(), callFrame: z.object({ url: z.string() }) })),
  startTime: z.number(),
  endTime: z.number(),
  samples: z.array(z.int()).min(1),
  timeDeltas: z.array(z.int()).min(1),
});

/** The same of a `.heapprofile`: HeapProfiler.SamplingHeapProfile. */
const heapProfile = z.object({
  head: z.object({ id: z.int(), selfSize: z.int(), children: z.array(z.unknown()).min(1) }),
  samples: z.array(z.object({ nodeId: z.int(), size: z.int() })).min(1),
});

test('a profile of the processor names the code that ran meanwhile, and the service goes on', async (t) => {
  const service = await start(t, ['--profiling']);
  const profile = ask(service, '/profile/cpu?seconds=1');
  await service.logLine('a profile is being taken');

  let isOver = false;
  void profile.finally(() => {
    isOver = true;
  });
  let accepted = 0;
  while (!isOver) if ((await service.reprice('a', '1')).status === 202) accepted += 1;
  const answer = await profile;

  t.is(answer.status, 200);
  t.is(answer.headers.get('content-disposition'), 'attachment; filename="repricer.cpuprofile"');
  const { nodes, samples, startTime, endTime } = cpuProfile.parse(await answer.json());
  const ids = new Set(nodes.map(({ id }) => id));
  t.true(samples.every((id) => ids.has(id)));
  const isOurs = nodes.some(({ callFrame }) => callFrame.url.includes('/build/src/'));
  t.true(isOurs, `after ${accepted} reprices`);
  t.true(endTime - startTime >= 1_000_000);
});

test('a profile of the heap tells what made the objects that live', async (t) => {
  const service = await start(t, ['--profiling']);

  const profile = ask(service, '/profile/heap?seconds=1');
  await service.logLine('a profile is being taken');
  for (let count = 0; count < 100; count += 1) await service.reprice(`p${count}`, '1');
  const answer = await profile;

  t.is(answer.headers.get('content-disposition'), 'attachment; filename="repricer.heapprofile"');
  t.true(heapProfile.safeParse(await answer.json()).success);
});

test('there is one profile at a time, it ends with the connection that asked for it, and a stop waits for none', async (t) => {
  const service = await start(t, ['--profiling']);
  const { backplanePort: port } = service;
  const first = request({ port, path: '/profile/cpu?seconds=60', method: 'POST' });
  first.on('error', () => first.destroy());
  first.end();
  await service.logLine('a profile is being taken');

  const second = await ask(service, '/profile/heap');
  const leftMs = performance.now();
  first.destroy();
  let third = ask(service, '/profile/heap?seconds=1');
  while ((await third).status === 409) third = ask(service, '/profile/heap?seconds=1');
  const thirdMs = performance.now();
  const fourth = ask(service, '/profile/cpu?seconds=60').catch(() => 'cut');
  while (linesOf(service).length < 3) await ask(service, '/metrics', 'GET');
  const { code } = await service.kill('SIGTERM');

  t.is(second.status, 409);
  t.is(second.headers.get('content-type'), 'application/problem+json');
  t.is((await third).status, 200);
  t.true(thirdMs - leftMs < 30_000, 'half of what the first had asked for');
  t.is(await fourth, 'cut');
  t.is(code, 0);
});

test('only whole seconds up to a minute can be asked for, and only with POST', async (t) => {
  const service = await start(t, ['--profiling']);

  for (const query of ['seconds=0', 'seconds=61', 'seconds=1.5', 'seconds=', 'second=1', 'x']) {
    const refused = await ask(service, `/profile/cpu?${query}`);
    t.is(refused.status, 400, query);
    t.like(await refused.json(), { status: 400, title: 'Bad Request' });
  }
  const read = await ask(service, '/profile/cpu', 'GET');
  t.is(read.status, 405);
  t.is(read.headers.get('allow'), 'POST');
  t.deepEqual(linesOf(service), []);
});

test('there are no profiles unless they are switched on', async (t) => {
  const service = await start(t, []);

  t.is((await ask(service, '/profile/cpu?seconds=1')).status, 404);
  t.is((await ask(service, '/profile/heap?seconds=1')).status, 404);
});

async function start(t: Parameters<typeof temporaryDirectory>[0], flags: readonly string[]) {
  return ChildService.start(t, await temporaryDirectory(t), flags);
}

function ask(service: ChildService, path: string, method = 'POST'): Promise<Response> {
  return fetch(`http://127.0.0.1:${service.backplanePort}${path}`, { method });
}

function linesOf({ logLines }: ChildService): readonly object[] {
  return logLines.filter((line) => line['message'] === 'a profile is being taken');
}
