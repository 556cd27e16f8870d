import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { parsePriceUpdate } from '../../../src/http/write/price-update-body.ts';
import type { PriceUpdate } from '../../../src/model/price-record.ts';

test('a price update keeps nothing of the body that it came in', (t) => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const padding = ' '.repeat(16_000);
  const updates: PriceUpdate[] = [];
  const body = (index: number) =>
    `{"productId":"a product with a long id ${index}",${padding}"price":${123_456_789_000 + index}.250001}`;

  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < 2000; index += 1) {
    updates.push(parsePriceUpdate(Buffer.from(body(index))).update);
  }
  collectGarbage();
  const bytesEach = (process.memoryUsage().heapUsed - before) / updates.length;

  t.true(bytesEach < 2000, `${bytesEach} bytes for each update`);
});
