import { once } from 'node:events';
import http from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { readConfig } from '../src/config/read-config.ts';
import { createLog } from '../src/ops/log.ts';
import { startService } from '../src/service.ts';
import { closedDirectory } from './support/data-directory.ts';
import { EventStream } from './support/event-stream.ts';
import { FaultyFiles } from './support/faulty-files.ts';
import { RecordSource, TestClock } from './support/records.ts';
import { checkCleanStore } from './support/store.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

/* The feed of the whole service, through real HTTP. */

const journal = /results\/date=/;

test('a stream opens at once, with headers that keep caches and proxies from holding it back', async (t) => {
  const service = await start(t);

  const stream = await service.open();
  await stream.until(({ lastEventId }) => lastEventId === '0');

  t.is(stream.headers['content-type'], 'text/event-stream');
  t.is(stream.headers['cache-control'], 'no-store');
  t.is(stream.headers['x-accel-buffering'], 'no');
  t.is(stream.headers['connection'], 'close');
  t.deepEqual(stream.events, []);
});

test('without a cursor a stream has the records committed after the request, as reads show them', async (t) => {
  const service = await start(t);
  await service.reprice('foo', '3.50');

  const stream = await service.open();
  await service.reprice('foo', '3.60');
  await stream.untilSeq(2);

  const shown = await (await fetch(`${service.url}/api/product/foo/price`)).text();
  t.deepEqual(stream.events, [{ id: '2', type: 'price', data: shown }]);
  t.true(shown.includes('"price":3.60,'), shown);
});

test('after=0 gives every record, and Last-Event-ID, which wins over it, all those behind it', async (t) => {
  const service = await start(t);
  await service.repriceMany(600);

  const all = await service.open('?after=0');
  const resumed = await service.open('?after=3', { 'Last-Event-ID': '590' });
  await all.untilSeq(600);
  await resumed.untilSeq(600);

  t.deepEqual(all.seqs, seqs(1, 600));
  t.deepEqual(resumed.seqs, seqs(591, 600));
});

test('streams from all over a journal that was written before a restart go over to new records without a gap', async (t) => {
  const before = await start(t);
  await before.repriceMany(1000);
  await before.stop();
  const service = await start(t, { directory: before.directory });

  const writing = service.repriceMany(700);
  const places = Array.from({ length: 50 }, (_, index) => index * 20);
  const streams = await Promise.all(
    places.map((after) => service.open('', { 'Last-Event-ID': String(after) })),
  );
  await writing;
  await Promise.all(streams.map((stream) => stream.untilSeq(1700)));

  for (const [index, stream] of streams.entries()) {
    t.deepEqual(stream.seqs, seqs((places[index] ?? 0) + 1, 1700));
  }
});

test('of a cursor that is none, or past the end, the answer says which and what the last seq is', async (t) => {
  const service = await start(t);
  await service.reprice('foo', '1');

  for (const [query, headers, pointer] of [
    ['?after=2', {}, '#/after'],
    ['?after=-1', {}, '#/after'],
    ['?after=01', {}, '#/after'],
    ['?after=', {}, '#/after'],
    ['?after=1&after=1', {}, '#/after'],
    ['?before=1', {}, '#/before'],
    ['?productId=.', {}, '#/productId'],
    ['', { 'Last-Event-ID': '2' }, '#/Last-Event-ID'],
    ['', { 'Last-Event-ID': '1, 1' }, '#/Last-Event-ID'],
    ['', { 'Last-Event-ID': '1e0' }, '#/Last-Event-ID'],
  ] as const) {
    const answer = await fetch(`${service.url}/api/stream${query}`, { headers });

    const problem = (await answer.json()) as { errors: readonly Record<string, string>[] };
    t.is(answer.status, 400, query);
    t.is(problem.errors[0]?.['pointer'], pointer);
    if (query === '?after=2') t.regex(problem.errors[0]?.['detail'] ?? '', /from 0 to 1,/);
  }
  const tooMany = Array.from({ length: 51 }, (_, index) => `productId=p${index}`).join('&');
  t.is((await fetch(`${service.url}/api/stream?${tooMany}`)).status, 400);
  const refused = await fetch(`${service.url}/api/stream`, { headers: { accept: 'image/png' } });
  t.is(refused.status, 406);
});

test('a stream of some products has their records only, in the order of seq', async (t) => {
  const service = await start(t);
  await service.repriceMany(300, (index) => `p${index % 3}`);

  const stream = await service.open('?after=0&productId=p0&productId=p2');
  await stream.untilSeq(300);
  await service.repriceMany(6, (index) => `p${index % 3}`);
  await stream.untilSeq(306);

  t.deepEqual(
    stream.seqs,
    seqs(1, 306).filter((seq) => seq % 3 !== 2),
  );
});

test('where nothing matches, heartbeats move the place from which a client resumes', async (t) => {
  const service = await start(t, { flags: ['--stream-heartbeat-ms', '20'] });
  await service.repriceMany(300);

  const stream = await service.open('?after=0&productId=other');
  await stream.until(({ lastEventId }) => lastEventId === '300');
  await service.reprice('another', '1');
  await stream.until(({ lastEventId }) => lastEventId === '301');

  t.deepEqual(stream.events, []);
  t.is(stream.comments.at(-1), 'complete up to 301');
});

test('a record is in no stream before it is on disk', async (t) => {
  const service = await start(t, { flags: ['--stream-heartbeat-ms', '10'] });
  await service.reprice('foo', '1');
  const live = await service.open();
  const hold = service.files.hold('datasync', journal);
  const writing = service.reprice('foo', '2');
  await hold.reached();

  const late = await service.open('?after=0');
  await late.untilSeq(1);
  const heard = [live.comments.length + 3, late.comments.length + 3] as const;
  await live.until(({ comments }) => comments.length >= heard[0]);
  await late.until(({ comments }) => comments.length >= heard[1]);
  const seen = [...live.seqs, ...late.seqs];
  hold.release();
  await writing;
  await live.untilSeq(2);
  await late.untilSeq(2);

  t.deepEqual(seen, [1]);
  t.deepEqual([live.seqs, late.seqs], [[2], [1, 2]]);
});

test('1000 subscribers that join all through 400 writes each get every record, once and in order', async (t) => {
  const service = await start(t);
  await service.repriceMany(100);

  const writing = service.repriceMany(300);
  const streams: EventStream[] = [];
  for (let count = 0; count < 1000; count += 50) {
    const opening = Array.from({ length: 50 }, (_, index) =>
      service.open(`?after=${(count + index) % 100}`),
    );
    streams.push(...(await Promise.all(opening)));
  }
  await writing;
  await Promise.all(streams.map((stream) => stream.untilSeq(400)));

  for (const [index, stream] of streams.entries()) {
    t.deepEqual(stream.seqs, seqs((index % 100) + 1, 400));
  }
  t.is(await service.sample('repricer_stream_subscribers'), 1000);
});

test('a client that connects again and again with Last-Event-ID under load misses nothing and gets nothing twice', async (t) => {
  const service = await start(t);
  const received: number[] = [];
  let connections = 0;

  const writing = service.repriceMany(1500);
  let lastEventId = '0';
  while (received.length < 1500) {
    const stream = await service.open('', { 'Last-Event-ID': lastEventId });
    await stream.untilSeq(Number(lastEventId) + 1);
    stream.close();
    received.push(...stream.seqs);
    ({ lastEventId } = stream);
    connections += 1;
  }
  await writing;

  t.deepEqual(received, seqs(1, 1500));
  t.true(connections > 3, `${connections} connections`);
  await service.stop();
  t.is((await checkCleanStore(t, service.directory)).records, 1500);
});

test('a subscriber that does not read is held back, dropped, counted, and resumes without a gap', async (t) => {
  const directory = await largeStore(t);
  const service = await start(t, { directory, flags: ['--stream-stall-ms', '300'] });
  const stalled = await service.open('?after=0');
  stalled.stopReading();

  await service.untilSample('repricer_stream_dropped_total', (value) => value === 1);
  const sent = await service.sample('repricer_stream_events_total');
  const subscribers = await service.sample('repricer_stream_subscribers');
  stalled.readAgain();
  await stalled.untilClosed();
  const resumed = await service.open('', { 'Last-Event-ID': stalled.lastEventId });
  await resumed.untilSeq(largeStoreRecords);

  t.is(subscribers, 0);
  t.true(sent < largeStoreRecords, `${sent} events`);
  t.deepEqual([...stalled.seqs, ...resumed.seqs], seqs(1, largeStoreRecords));
});

test('a subscriber that reads again just when it is dropped is told so', async (t) => {
  const directory = await largeStore(t);
  const service = await start(t, { directory, flags: ['--stream-stall-ms', '300'] });
  const stalled = await service.open('?after=0');
  stalled.stopReading();

  await service.untilSample('repricer_stream_dropped_total', (value) => value === 1);
  stalled.readAgain();
  await stalled.untilClosed();

  const end = stalled.events.at(-1);
  t.deepEqual({ type: end?.type, data: end?.data }, { type: 'end', data: '{"reason":"stalled"}' });
  t.is(end?.id, String(stalled.seqs.at(-1)));
  t.true(stalled.isEnded);
});

test('a stop ends every stream with an event that says so, and does not wait for those that do not read', async (t) => {
  const service = await start(t, { directory: await largeStore(t) });
  const reading = await service.open();
  const stopped = await service.open('?after=0');
  stopped.stopReading();
  await service.untilSteady('repricer_stream_events_total');

  const startedMs = performance.now();
  await service.stop();
  const stopMs = performance.now() - startedMs;
  await reading.untilClosed();

  t.deepEqual(reading.events, [
    { id: String(largeStoreRecords), type: 'end', data: '{"reason":"stopping"}' },
  ]);
  t.true(reading.isEnded);
  t.true(stopMs < 5000, `${stopMs} ms`);
  stopped.close();
});

test('past the bound a stream is refused with its own problem, other reads are not, and a place that is left is free', async (t) => {
  const service = await start(t, { flags: ['--stream-subscribers-max', '2'] });
  await service.reprice('foo', '1');
  const [first] = [await service.open(), await service.open()];

  const refused = await fetch(`${service.url}/api/v1/stream`);
  const read = await fetch(`${service.url}/api/query`);
  first.close();
  await service.untilSample('repricer_stream_subscribers', (value) => value === 1);
  const next = await service.open();

  t.is(refused.status, 503);
  t.is(refused.headers.get('retry-after'), '10');
  t.like(await refused.json(), { type: '/problems/too-many-streams' });
  t.is(read.status, 200);
  t.is(next.headers['content-type'], 'text/event-stream');
});

test('HEAD is answered as GET is, and leaves no subscriber behind', async (t) => {
  const service = await start(t);

  const answer = await fetch(`${service.url}/api/stream`, { method: 'HEAD' });
  await service.untilSample('repricer_stream_subscribers', (value) => value === 0);

  t.is(answer.status, 200);
  t.is(answer.headers.get('content-type'), 'text/event-stream');
});

test('a stream whose history cannot be read ends with an event that says so, and resumes', async (t) => {
  const before = await start(t);
  await before.repriceMany(300);
  await before.stop();
  const service = await start(t, { directory: before.directory });
  service.files.fail('open', journal, 'EMFILE', { times: 1 });

  const broken = await service.open('?after=10');
  await broken.untilClosed();
  const resumed = await service.open('?after=0', { 'Last-Event-ID': broken.lastEventId });
  await resumed.untilSeq(300);

  t.deepEqual(broken.events, [{ id: '10', type: 'end', data: '{"reason":"unreadable"}' }]);
  t.deepEqual(resumed.seqs, seqs(11, 300));
});

/** More events than all buffers between the service and a client that does not read can hold. */
const largeStoreRecords = 25_000;

function largeStore(t: ExecutionContext): Promise<string> {
  const source = new RecordSource();
  const products = Array.from(
    { length: 1000 },
    (_, index) => `${'\u{1F600}'.repeat(240)}${index % 5}`,
  );
  const batches = Array.from({ length: largeStoreRecords / 1000 }, () => source.batch(...products));
  return closedDirectory(t, batches);
}

function seqs(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

interface Parts {
  readonly directory?: string;
  readonly flags?: readonly string[];
}

async function start(t: ExecutionContext, { directory, flags = [] }: Parts = {}) {
  const dataDir = directory ?? (await temporaryDirectory(t));
  const files = new FaultyFiles();
  const ports = ['--port', '0', '--backplane-port', '0', '--free-bytes-min', '0'];
  const limits = ['--queue-max', '2000', '--connections-max', '3000'];
  const config = readConfig({}, ['--data-dir', dataDir, ...ports, ...limits, ...flags]);
  const log = createLog({ level: 'error', write: async () => {}, isTerminal: false });
  const onFailure = (error: Error) => t.fail(error.message);
  const clock = new TestClock().read;
  const parts = { files, clock, log, onFailure, onReloadAsked: () => {} };
  const service = await startService(config, parts);
  const agent = new http.Agent({ keepAlive: true });
  let stopping: Promise<void> | undefined;
  const stop = () => {
    agent.destroy();
    stopping ??= service.stop();
    return stopping;
  };
  t.teardown(stop);
  const url = `http://127.0.0.1:${service.port}`;
  const reprice = (productId: string, price: string) =>
    post(`${url}/api/reprice`, agent, JSON.stringify({ productId, price }));
  const sample = (name: string) => sampleAt(service.backplanePort, name);
  return {
    directory: dataDir,
    files,
    url,
    stop,
    reprice,
    /** Writes so many records, some in parallel, to products that are named by their index. */
    async repriceMany(count: number, nameOf = (index: number) => `p${index % 7}`, parallel = 20) {
      let index = 0;
      const writer = async () => {
        while (index < count) {
          index += 1;
          await reprice(nameOf(index - 1), `${index}.5`);
        }
      };
      await Promise.all(Array.from({ length: parallel }, writer));
    },
    open: (query = '', headers: http.OutgoingHttpHeaders = {}) =>
      EventStream.open(`${url}/api/stream${query}`, headers),
    sample,
    /** Resolves when the sample is more than 0 and has stayed the same over a hundred scrapes. */
    async untilSteady(name: string) {
      for (let [last, same] = [0, 0]; last === 0 || same < 100; ) {
        const value = await sample(name);
        [last, same] = [value, value === last ? same + 1 : 0];
      }
    },
    async untilSample(name: string, holds: (value: number) => boolean) {
      while (!holds(await sample(name)));
    },
  };
}

async function post(url: string, agent: http.Agent, body: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const request = http.request(url, { method: 'POST', agent, headers }).end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  await once(response.resume(), 'end');
  if (response.statusCode !== 202) throw new Error(`answered ${response.statusCode}`);
}

async function sampleAt(port: number, name: string): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const line = metrics.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.split(' ')[1]);
}
