import test from 'ava';
import { makeBatch } from './batch-text.ts';

test('a batch of each product once has as many products as lines', (t) => {
  const chunks = makeBatch(2500, 'each once');

  const lines = Buffer.concat(chunks).toString().trimEnd().split('\n');
  const products = lines.map((line) => (JSON.parse(line) as { productId: string }).productId);
  t.is(chunks.length, 3);
  t.is(products.length, 2500);
  t.is(new Set(products).size, 2500);
});
