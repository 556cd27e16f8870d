import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type FileSystem, nodeFileSystem } from '../../../src/files/file-system.ts';
import { scannedProductsMax } from '../../../src/ledger/product-prices.ts';
import { productFile } from '../../../src/storage/product-file.ts';
import { FaultyFiles } from '../../support/faulty-files.ts';
import { openLedger } from '../../support/ledger.ts';
import { productId } from '../../support/records.ts';
import { checkCleanStore, RecordedEvents } from '../../support/store.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { type Answer, ask, hold, pointersOf, serve } from '../http-fixture.ts';

/* The listing of products through HTTP, on a ledger with real files. */

const productFiles = /results_by_product\/..\//;

interface Listed {
  readonly productId: string;
  readonly price: number;
}

interface Page {
  readonly products: readonly Listed[];
  readonly pending: readonly string[];
}

for (const base of ['/api', '/api/v1']) {
  test(`${base}/products gives each product with its last price, as reads show it, page by page`, async (t) => {
    const service = await start(t);
    for (let count = 0; count < 25; count += 1) await service.set(`p${count % 10}`, `${count}.50`);

    const answers = await service.walk(`${base}/products?limit=3`);
    const alone = await Promise.all(
      idsIn(answers).map((id) => ask(service, `${base}/product/${id}/price`)),
    );

    t.deepEqual(idsIn(answers).toSorted(), names(10));
    t.deepEqual(
      answers.map((answer) => pageOf(answer).products.length),
      [3, 3, 3, 1],
    );
    const shown = answers.map(
      ({ text }) => /^\{"products":\[(.*)\],"pending":\[\]\}$/.exec(text)?.[1],
    );
    t.is(shown.join(','), alone.map(({ text }) => text).join(','));
    t.regex(
      String(answers[0]?.headers['link']),
      new RegExp(`^<${base}/products\\?limit=3&cursor=[\\w-]+>; rel="next"$`),
    );
    t.is(answers.at(-1)?.headers['link'], undefined);
    t.is(answers[0]?.headers['content-type'], 'application/json; charset=utf-8');
    await service.end();
  });
}

test('without a limit a page has 100 products, and it may ask for 1000', async (t) => {
  const service = await start(t);
  await Promise.all(names(120).map((name) => service.set(name, '1.50')));

  const [first, second] = await service.walk('/api/products');
  const whole = await ask(service, '/api/products?limit=1000');

  t.deepEqual(
    [first, second, whole].map((answer) => answer && pageOf(answer).products.length),
    [100, 20, 120],
  );
  await service.end();
});

test('an empty store has one empty page', async (t) => {
  const service = await start(t);

  const answer = await ask(service, '/api/products');

  t.is(answer.text, '{"products":[],"pending":[]}');
  t.is(answer.headers['link'], undefined);
  await service.end();
});

test('products are listed before, while and after their first record goes into its file', async (t) => {
  const service = await start(t);
  await service.set('in-file', '1.50');
  await service.events.until('aggregated', 1);
  const write = service.files.hold('write', productFiles);
  await service.set('being-written', '2.50');
  await write.reached();
  await service.set('waiting', '3.50');
  await service.set(long('waiting'), '4.50');

  const during = idsIn(await service.walk('/api/products?limit=1'));
  write.release();
  await service.events.until('aggregated', 4);
  const after = idsIn(await service.walk('/api/products?limit=1'));

  t.deepEqual(
    during.toSorted(),
    ['being-written', 'in-file', 'waiting', long('waiting')].toSorted(),
  );
  t.deepEqual(after, during);
  await service.end();
});

test('a product that gets its file right after its directory was read is not lost', async (t) => {
  const listed = hold();
  const written = hold();
  const slow: FileSystem = {
    ...nodeFileSystem,
    list: async (path) => {
      const names = await nodeFileSystem.list(path);
      if (!productFiles.test(`${path}/`)) return names;
      listed.release();
      await written.promise;
      return names;
    },
  };
  const service = await start(t, new FaultyFiles(slow));
  const create = service.files.hold('create', productFiles);
  await service.set('a', '1.50');
  await create.reached();

  const answering = ask(service, '/api/products');
  await listed.promise;
  create.release();
  await service.events.until('aggregated', 1);
  written.release();

  t.deepEqual(idsIn([await answering]), ['a']);
  await service.end();
});

test('over the pages each product that was there is listed once, also while new ones are written', async (t) => {
  const service = await start(t);
  await Promise.all(names(40).map((name) => service.set(name, '1.50')));
  let count = 0;

  const answers = await service.walk('/api/products?limit=4', async () => {
    count += 1;
    await Promise.all([
      ...names(10).map((name) => service.set(`new-${count}-${name}`, '2.50')),
      service.set('p7', '3.50'),
    ]);
  });

  const ids = idsIn(answers);
  t.is(new Set(ids).size, ids.length, 'none is listed twice');
  t.deepEqual(ids.filter((id) => !id.startsWith('new-')).toSorted(), names(40));
  await service.end();
});

test('a prefix is compared code point by code point, with ids of any characters and lengths', async (t) => {
  const service = await start(t);
  const ids = [
    'ab',
    'aB',
    'a b',
    'a/b',
    'a%2Fb',
    '.hidden',
    '~tilde',
    '*star',
    'é',
    'e\u0301',
    '💶',
    '💷',
    'a'.repeat(256),
    long('x'),
    long('y'),
  ];
  for (const id of ids) await service.set(id, '1.50');
  await service.events.until('aggregated', ids.length);

  for (const prefix of [
    '',
    'a',
    'ab',
    'a%',
    'a/',
    '.',
    '~',
    '*',
    'e',
    'é',
    '💶',
    long('').slice(0, 200),
    long('x'),
    'zz',
  ]) {
    const found = idsIn(
      await service.walk(`/api/products?limit=2&prefix=${encodeURIComponent(prefix)}`),
    );

    t.deepEqual(found.toSorted(), ids.filter((id) => id.startsWith(prefix)).toSorted(), prefix);
  }
  await service.end();
});

test('a rare prefix is answered with an empty page and a link once so many names were looked at', async (t) => {
  const foreign = Array.from({ length: scannedProductsMax }, (_, index) => `0${index}.ndjson`);
  const crowded: FileSystem = {
    ...nodeFileSystem,
    list: async (path) =>
      productFiles.test(`${path}/`)
        ? [...foreign, ...(await nodeFileSystem.list(path))]
        : nodeFileSystem.list(path),
  };
  const service = await start(t, new FaultyFiles(crowded));
  await service.set('rare', '1.50');
  await service.events.until('aggregated', 1);

  const answers = await service.walk('/api/products?prefix=rare');

  t.deepEqual(
    answers.map((answer) => pageOf(answer).products.length),
    [0, 1],
  );
  await service.end();
});

test('a damaged product file keeps its product pending, the listing goes on, and soon it is mended', async (t) => {
  const service = await start(t);
  // The last one stays in memory; and of two lines the first one tells whose a shortened name is.
  for (const id of ['a', 'a', long('c'), long('c'), 'b']) await service.set(id, '1.50');
  await service.events.until('aggregated', 5);
  for (const id of ['a', long('c')]) await service.damage(id);
  const replacing = service.files.hold('rename', productFiles);

  const [damaged] = await service.walk('/api/products');
  replacing.release();
  for (const id of ['a', long('c')]) {
    await service.events.until('derivedFileRebuilt', productFile(productId(id)));
  }
  const [mended] = await service.walk('/api/products');

  t.deepEqual(damaged && pageOf(damaged).pending.toSorted(), ['a', long('c')]);
  t.deepEqual(damaged && idsIn([damaged]), ['b']);
  t.deepEqual(mended && idsIn([mended]).toSorted(), ['a', 'b', long('c')]);
  await service.end();
});

test('a file that the system cannot read keeps its product pending and no other', async (t) => {
  const service = await start(t);
  await Promise.all(['a', 'b', long('c')].map((name) => service.set(name, '1.50')));
  await service.events.until('aggregated', 3);
  const fault = service.files.fail('read', /\/a\.ndjson$/, 'EIO');

  const [answer] = await service.walk('/api/products');

  fault.stop();
  t.is(answer?.status, 200);
  t.deepEqual(answer && pageOf(answer).pending, ['a']);
  t.deepEqual(answer && idsIn([answer]).toSorted(), ['b', long('c')]);
  await service.end();
});

test('a file of which no line tells the product is reported and passed over', async (t) => {
  const service = await start(t);
  await Promise.all(['a', long('c')].map((name) => service.set(name, '1.50')));
  await service.events.until('aggregated', 2);
  const path = join(service.directory, productFile(productId(long('c'))));
  const good = await readFile(path);
  await writeFile(path, Buffer.from('{"seq":1}\n'));

  const [answer] = await service.walk('/api/products');

  await writeFile(path, good);
  t.deepEqual(answer && idsIn([answer]), ['a']);
  t.is(service.events.of('backgroundWorkFailed')[0]?.[0], 'listing of products');
  await service.end();
});

test('files that are no product files are not listed', async (t) => {
  const service = await start(t);
  await service.set('a', '1.50');
  await service.events.until('aggregated', 1);
  const shard = dirname(join(service.directory, productFile(productId('a'))));
  await mkdir(join(service.directory, 'results_by_product', 'extra'));
  for (const name of ['b.ndjson', '%.ndjson', 'x~y.ndjson', 'a.csv', '.ndjson']) {
    await writeFile(join(shard, name), '');
  }

  t.deepEqual(idsIn(await service.walk('/api/products?limit=1')), ['a']);
  t.deepEqual(service.events.of('backgroundWorkFailed'), []);
  await service.ledger.close();
});

test('bad parameters are refused with the pointer of each', async (t) => {
  const service = await start(t);
  await Promise.all(names(5).map((name) => service.set(name, '1.50')));
  const link = String((await ask(service, '/api/products?limit=1')).headers['link']);
  const cursor = /cursor=([\w-]+)/.exec(link)?.[1] ?? '';

  const bad: readonly (readonly [string, readonly string[]])[] = [
    ['limit=0', ['#/limit']],
    ['limit=1001', ['#/limit']],
    ['limit=1.5&cursor=', ['#/limit', '#/cursor']],
    ['prefix=%0A', ['#/prefix']],
    [`prefix=${'a'.repeat(257)}`, ['#/prefix']],
    ['prefix=a&prefix=b', ['#/prefix']],
    ['productId=a', ['#/productId']],
    [`cursor=${cursor}A`, ['#/cursor']],
    [`cursor=${cursor.slice(0, -2)}`, ['#/cursor']],
    [`cursor=${cursor}&prefix=p`, ['#/cursor']],
    [`cursor=${Buffer.from('2.00000000.a').toString('base64url')}`, ['#/cursor']],
  ];
  for (const [query, pointers] of bad) {
    const answer = await ask(service, `/api/products?${query}`);

    t.is(answer.status, 400, query);
    t.deepEqual(pointersOf(answer), pointers, query);
  }
  t.is((await ask(service, `/api/products?cursor=${cursor}`)).status, 200);
  t.is((await ask(service, `/api/products?cursor=${cursor}&limit=7`)).status, 200);
  t.is((await ask(service, '/api/products?prefix=')).status, 200);
  await service.end();
});

async function start(t: ExecutionContext, files = new FaultyFiles()) {
  const directory = await temporaryDirectory(t);
  const events = new RecordedEvents();
  const open = await openLedger(directory, { files, events, lastPricesMax: 1, queueMax: 1000 });
  const service = await serve(t, open.ledger);
  return {
    ...service,
    directory,
    files,
    events,
    set: open.set,
    /** The answers from this one on, as the links lead; `between` runs after each. */
    async walk(path: string, between = async () => {}): Promise<readonly Answer[]> {
      const answers: Answer[] = [];
      for (let next: string | undefined = path; next !== undefined; ) {
        const answer = await ask(service, next);
        answers.push(answer);
        next = /^<(.+)>; rel="next"$/.exec(String(answer.headers['link']))?.[1];
        await between();
      }
      return answers;
    },
    /** Turns a bit of the last line of a product's file, which the record before it does not share. */
    async damage(id: string): Promise<void> {
      const path = join(directory, productFile(productId(id)));
      const bytes = await readFile(path);
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 5) ^ 1, bytes.length - 5);
      await writeFile(path, bytes);
    },
    async end(): Promise<void> {
      await open.ledger.close();
      await checkCleanStore(t, directory);
    },
  };
}

function pageOf(answer: Answer): Page {
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  return JSON.parse(answer.text) as Page;
}

function idsIn(answers: readonly Answer[]): readonly string[] {
  return answers.flatMap((answer) => pageOf(answer).products.map(({ productId: id }) => id));
}

function names(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `p${index}`).toSorted();
}

/** An id whose file has a shortened name; it ends with what is given. */
function long(end: string): string {
  return 'é'.repeat(100) + end;
}
