import { once } from 'node:events';
import http from 'node:http';
import test from 'ava';
import { ChildService } from '../support/child-service.ts';
import { closedDirectory } from '../support/data-directory.ts';
import { RecordSource } from '../support/records.ts';

const records = 200_000;
const batchRecords = 1000;
const pausedReaders = 12;
const mebibyte = 1 << 20;

test('streams of 200,000 records take no memory with their length, whether their readers read or not', async (t) => {
  const source = new RecordSource();
  const batches = Array.from({ length: records / batchRecords }, (_, batch) =>
    source.batch(...Array.from({ length: batchRecords }, (_, at) => `p${(batch + at) % 7}`)),
  );
  const directory = await closedDirectory(t, batches);
  // A stream of all is 23 MiB, so there is no room in this for one that is kept whole for each reader.
  const env = { NODE_OPTIONS: '--max-old-space-size=96 --max-semi-space-size=4' };
  const service = await ChildService.start(
    t,
    directory,
    ['--last-prices-max', '1000', '--shutdown-timeout-ms', '6000'],
    { env },
  );
  const before = await residentBytes(service);

  const paused = await Promise.all(
    Array.from({ length: pausedReaders }, (_, at) =>
      openStream(service, at % 4 === 0 ? union : ''),
    ),
  );
  const bytes = await bytesOf(await openStream(service, 'order=desc'));

  const grown = (await residentBytes(service)) - before;
  t.log(
    `${Math.round(grown / mebibyte)} MiB for ${pausedReaders} paused readers and a stream of ${Math.round(bytes / mebibyte)} MiB`,
  );
  t.true(bytes > 20 * mebibyte);
  t.true(grown < 128 * mebibyte, `${grown} bytes`);

  for (const response of paused) response.on('error', () => {});
  t.is(
    (await service.kill('SIGTERM')).code,
    0,
    'a stop does not wait for readers that do not read',
  );
});

const union = 'productId=p0&productId=p1&productId=p2';

async function openStream({ port }: ChildService, query: string): Promise<http.IncomingMessage> {
  const headers = { accept: 'application/x-ndjson' };
  const request = http.request({ port, path: `/api/query?${query}`, headers, agent: false }).end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return response;
}

async function bytesOf(response: http.IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of response) bytes += (chunk as Buffer).length;
  return bytes;
}

async function residentBytes({ backplanePort }: ChildService): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${backplanePort}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1]);
}
