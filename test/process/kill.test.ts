import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { ChildService, runMain } from '../support/child-service.ts';
import { price as toPrice } from '../support/records.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { checkStore } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const kills = 25;
const clients = 20;
const products = 30;

/** What a client was told: the key is the seq. */
type Acknowledged = Map<number, { productId: string; version: number; price: string }>;

test('every 202 that a client saw is there once after the process was killed, time and again', async (t) => {
  const random = SeededRandom.forTest(t, 0);
  const directory = await temporaryDirectory(t);
  const acknowledged: Acknowledged = new Map();

  for (let round = 0; round < kills; round += 1) {
    const flags = [
      ...['--segment-bytes-max', random.pick(['4096', '20000', '1000000'])],
      ...['--flush-interval-ms', random.pick(['1', '50'])],
      ...['--checkpoint-interval-ms', random.pick(['1', '100', '10000'])],
    ];
    const service = await ChildService.start(t, directory, flags);
    const enough = acknowledged.size + 1 + random.integer(300);
    const load = Array.from({ length: clients }, () =>
      writeUntilKilled(service, random, acknowledged),
    );
    while (acknowledged.size < enough) await nextTurn();
    await service.kill('SIGKILL');
    await Promise.all(load);

    await checkStore(t, directory);
    compare(t.deepEqual.bind(t), acknowledged, await readJournal(directory));
  }

  const last = await ChildService.start(t, directory);
  t.is((await last.kill('SIGTERM')).code, 0);
  t.log(`${acknowledged.size} acknowledged over ${kills} kills`);
  t.is((await runMain(['verify', '--data-dir', directory])).code, 0);
  compare(t.deepEqual.bind(t), acknowledged, await readJournal(directory));
});

async function writeUntilKilled(
  service: ChildService,
  random: SeededRandom,
  acknowledged: Acknowledged,
): Promise<void> {
  for (;;) {
    const productId = `product ${random.integer(products)}`;
    const price = `${1 + random.integer(1000)}.${random.integer(100)}`;
    try {
      const { status, headers } = await service.reprice(productId, price);
      if (status !== 202) continue;
      const version = Number(String(headers['etag']).replaceAll('"', ''));
      acknowledged.set(Number(headers['repricer-seq']), {
        productId,
        version,
        price: toPrice(price),
      });
    } catch {
      // The connection broke: whether the last write was recorded is not known.
      return;
    }
  }
}

/** Each acknowledged record is in the journal, and the journal has each seq once. */
function compare(
  same: (actual: unknown, expected: unknown) => void,
  acknowledged: Acknowledged,
  journal: readonly JournalLine[],
): void {
  same(
    journal.map(({ seq }) => seq),
    journal.map((_, index) => index + 1),
  );
  for (const [seq, { productId, version, price }] of acknowledged) {
    const line = journal[seq - 1];
    same([line?.productId, line?.version, line?.newPrice], [productId, version, price]);
  }
}

interface JournalLine {
  readonly seq: number;
  readonly productId: string;
  readonly version: number;
  readonly newPrice: string;
}

/** The journal read with nothing of the program: lines as text, prices as digits. */
async function readJournal(directory: string): Promise<readonly JournalLine[]> {
  const names = await readdir(join(directory, 'results'), { recursive: true });
  const segments = names.filter((name) => /\.ndjson(\.open)?$/.test(name)).sort();
  const texts = await Promise.all(
    segments.map((name) => readFile(join(directory, 'results', name), 'utf8')),
  );
  return texts
    .flatMap((text) => text.split('\n').slice(0, -1))
    .map((line) => {
      const fields = JSON.parse(line) as { seq: number; productId: string; version: number };
      return { ...fields, newPrice: /"newPrice":([\d.]+)/.exec(line)?.[1] ?? '' };
    });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
