import { RepricerClient } from 'repricer/client';

/* Uses everything once against the service at its argument, and has nothing in it that would end it. */

const client = new RepricerClient(process.argv[2] ?? '', { retry: { attemptMs: 60_000 } });
const { signal } = new AbortController();

await client.reprice('a', '1.0', { signal });
await client.price('a');
for await (const { kind } of client.repriceBatch([{ productId: 'a', price: '2.0' }])) {
  process.stdout.write(`${kind}\n`);
}
function* endless() {
  for (;;) yield { productId: 'a', price: '2.0' };
}
for await (const { line } of client.repriceBatch(endless())) if (line > 100) break;
for await (const { seq } of client.query({ pageSize: 1 })) if (seq > 1) break;
for await (const { seq } of client.products()) if (seq > 0) break;
for await (const { seq } of client.stream({ after: 0, signal })) if (seq > 1) break;
process.stdout.write('done\n');
