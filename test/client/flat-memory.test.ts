import test from 'ava';
import { RepricerClient } from 'repricer/client';
import { ChildService } from '../support/child-service.ts';
import { garbageCollector } from '../support/garbage-collector.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('the heap does not grow with the lines of a batch', async (t) => {
  const service = await ChildService.start(t, await temporaryDirectory(t));
  const client = new RepricerClient(`http://127.0.0.1:${service.port}`);
  const collectGarbage = garbageCollector();
  const lineCount = 100_000;
  function* lines() {
    for (let index = 1; index <= lineCount; index += 1) {
      yield { productId: `p${index % 500}`, price: `${index}.25` };
    }
  }
  const heapBytes: number[] = [];
  const startedMs = performance.now();
  let count = 0;

  for await (const { line, kind } of client.repriceBatch(lines())) {
    count += 1;
    if (line !== count || kind !== 'recorded') t.fail(`${line} was ${kind}`);
    if (count % 10_000 > 0) continue;
    collectGarbage();
    heapBytes.push(process.memoryUsage().heapUsed);
  }

  const seconds = (performance.now() - startedMs) / 1000;
  const megabytes = heapBytes.map((bytes) => (bytes / 1e6).toFixed(1)).join(', ');
  t.log(`${Math.round(lineCount / seconds)} lines/s; heap each 10,000 lines: ${megabytes} MB`);
  t.is(count, lineCount);
  t.is((await client.record(lineCount)).newPrice, `${lineCount}.25`);
  const [first = 0, ...later] = heapBytes;
  t.true(Math.max(...later) - first < 4e6, megabytes);
  service.hangUp();
  await service.kill('SIGTERM');
});
