import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import type { PriceRecord } from '../../../src/model/price-record.ts';
import { startLedgerService } from '../../support/ledger-service.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { FakeLedger, record, serve, startService } from '../http-fixture.ts';

/* Answers to clients that take gzip, where the service is told to compress. */

interface RawAnswer {
  readonly headers: IncomingMessage['headers'];
  readonly bytes: Buffer;
}

/** One answer as it came over the wire; rejects when it is cut off. */
async function fetchRaw(
  port: number,
  path: string,
  acceptEncoding?: string,
  headers: Record<string, string> = {},
): Promise<RawAnswer & { readonly status: number }> {
  const encoding = acceptEncoding === undefined ? {} : { 'accept-encoding': acceptEncoding };
  const asked = get({ port, path, headers: { ...headers, ...encoding }, agent: false });
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    bytes: Buffer.concat(chunks),
  };
}

for (const [form, accept] of [
  ['a page', 'application/json'],
  ['a stream', 'application/x-ndjson'],
] as const) {
  test(`${form} that is large comes as gzip to whoever takes it, the same to the byte`, async (t) => {
    const service = await startLedgerService(t, await temporaryDirectory(t), {
      isCompressing: true,
    });
    for (let count = 1; count <= 30; count += 1) await service.set('foo', `${count}.50`);
    const asked = (acceptEncoding?: string) =>
      fetchRaw(service.port, '/api/query', acceptEncoding, { accept });

    const plain = await asked();
    const compressed = await asked('br, gzip;q=0.5');
    const others = [await asked('identity'), await asked('gzip;q=0'), await asked('br')];

    t.deepEqual(gunzipSync(compressed.bytes), plain.bytes);
    t.is(compressed.headers['content-encoding'], 'gzip');
    t.true(compressed.bytes.length < plain.bytes.length / 3);
    for (const { headers } of [plain, compressed, ...others]) {
      t.is(headers['vary'], 'Accept, Accept-Encoding');
    }
    for (const { headers, bytes } of [plain, ...others]) {
      t.is(headers['content-encoding'], undefined);
      t.deepEqual(bytes, plain.bytes);
    }
  });
}

test('what is small is sent as it is, and without being told so is everything', async (t) => {
  const told = await startService(t, { isCompressing: true });
  const untold = await startService(t);

  for (const [service, path] of [
    [told, '/api/query'],
    [told, '/api/product/foo/price'],
    [untold, '/openapi.json'],
  ] as const) {
    const { status, headers } = await fetchRaw(service.port, path, 'gzip');
    t.is(status, 200);
    t.is(headers['content-encoding'], undefined, path);
  }
});

test('a compressed answer has a tag of its own kind, and is known by it', async (t) => {
  const { port } = await startService(t, { isCompressing: true });

  const plain = await fetchRaw(port, '/openapi.json');
  const compressed = await fetchRaw(port, '/openapi.json', 'gzip');
  const tag = String(compressed.headers.etag);
  const known = await fetchRaw(port, '/openapi.json', 'gzip', { 'if-none-match': tag });

  t.is(tag, `W/${plain.headers.etag}`);
  t.is(known.status, 304);
  t.is(known.headers.etag, tag);
  t.is(known.headers['vary'], 'Accept-Encoding');
});

test('a compressed stream that breaks is cut off, and never looks whole', async (t) => {
  const ledger = new (class extends FakeLedger {
    override async *scan(): AsyncGenerator<readonly PriceRecord[], void, void> {
      yield Array.from({ length: 1000 }, () => record({}));
      throw new Error('the disk is gone');
    }
  })();
  const { port } = await serve(t, ledger, { isCompressing: true });

  const answer = fetchRaw(port, '/api/query', 'gzip', { accept: 'application/x-ndjson' });

  await t.throwsAsync(answer, { code: 'ECONNRESET' });
});

test('while two are being compressed further answers are sent as they are', async (t) => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let begun = 0;
  const ledger = new (class extends FakeLedger {
    override async *scan(): AsyncGenerator<readonly PriceRecord[], void, void> {
      yield [record()];
      begun += 1;
      await gate;
    }
  })();
  const { port } = await serve(t, ledger, { isCompressing: true });
  const accept = { accept: 'application/x-ndjson' };
  const document = () => fetchRaw(port, '/openapi.json', 'gzip');

  const two = [1, 2].map(() => fetchRaw(port, '/api/query', 'gzip', accept));
  // Their second blocks are asked for, so that what is read of them is being compressed.
  while (begun < 2) await new Promise((resolve) => setImmediate(resolve));
  const third = await document();
  open();
  const answers = await Promise.all(two);
  const fourth = await document();

  t.deepEqual(
    [...answers, third, fourth].map(({ headers }) => headers['content-encoding']),
    ['gzip', 'gzip', undefined, 'gzip'],
  );
});
