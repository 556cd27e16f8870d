import test from 'ava';
import type { Answer } from '../support/child-service.ts';
import { startLedgerService } from '../support/ledger-service.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { Checker } from './checker.ts';
import type { Operation, WriteOutcome } from './operation.ts';
import { outcomeOf } from './write-outcome.ts';

const clients = 20;
const turns = 25;
const products = ['a', 'b', 'c'];

test('singles, batches, conditions, keys and reads of many clients at once make one linearizable history', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await startLedgerService(t, directory, {
    queueMax: 100,
    limits: { batchesMax: clients },
  });
  const random = SeededRandom.forTest(t, 0);
  const all = Array.from(
    { length: clients },
    (_, number) => new BusyClient(service.url, random, number),
  );

  await Promise.all(all.map((client) => client.run()));
  await service.stop();
  const checker = new Checker();
  const operations = all.flatMap((client) => client.operations);
  const result = await checker.check({ store: { directory }, state: 'stopped', operations });
  checker.close();

  t.deepEqual(result.violations, []);
  t.is(result.lost + result.phantom, 0);
  t.true(result.acknowledged > clients, `${result.acknowledged} were acknowledged`);
  t.true(operations.some(isRefused), 'some conditions did not hold');
  t.deepEqual(
    all.flatMap((client) => client.surprises),
    [],
  );
});

/** Does this and that, one after the other, and writes down what it was told. */
class BusyClient {
  readonly operations: Operation[] = [];
  /** What no client may ever see. */
  readonly surprises: string[] = [];
  readonly #url: string;
  readonly #random: SeededRandom;
  readonly #number: number;
  readonly #versions = new Map<string, number>();
  #writes = 0;

  constructor(url: string, random: SeededRandom, number: number) {
    this.#url = url;
    this.#random = random;
    this.#number = number;
  }

  async run(): Promise<void> {
    const acts = [
      () => this.#single(),
      () => this.#conditional(),
      () => this.#keyed(),
      () => this.#batch(),
      () => this.#read(),
    ];
    for (let turn = 0; turn < turns; turn += 1) await this.#random.pick(acts)();
  }

  async #single(): Promise<void> {
    const { productId, price } = this.#update();
    const sent = now();
    const answer = await this.#post('', `{"productId":"${productId}","price":${price}}`);
    this.#note(productId, price, sent, outcomeOf(answer));
  }

  async #conditional(): Promise<void> {
    const { productId, price } = this.#update();
    const version = this.#versions.get(productId) ?? 1;
    const body = `{"productId":"${productId}","price":${price}}`;
    const sent = now();
    const answer = await this.#post('', body, { 'if-match': `"${version}"` });
    this.#note(productId, price, sent, outcomeOf(answer));
  }

  /** Sends the same twice, at once or one after the other; one record may come of it. */
  async #keyed(): Promise<void> {
    const { productId, price } = this.#update();
    const body = `{"productId":"${productId}","price":${price}}`;
    const send = () => this.#post('', body, { 'idempotency-key': price });
    const sent = now();
    const isAtOnce = this.#random.integer(2) === 0;
    const answers = isAtOnce ? await Promise.all([send(), send()]) : [await send(), await send()];
    const seqs = answers.flatMap(({ status, headers }) =>
      status === 202 ? headers['repricer-seq'] : [],
    );
    if (new Set(seqs).size > 1) this.surprises.push(`one key, seqs ${seqs.join()}`);
    const told = answers.find(({ status }) => status === 202) ?? answers[0];
    this.#note(productId, price, sent, outcomeOf(told));
  }

  async #batch(): Promise<void> {
    const updates = [this.#update(), this.#update(), this.#update()];
    const isAtomic = this.#random.integer(2) === 0;
    const lines = updates.map(({ productId, price }, index) => {
      const expected =
        index === 2 && isAtomic ? `,"expectedPreviousPrice":${updates[0]?.price}` : '';
      return `{"productId":"${productId}","price":${price}${expected}}`;
    });
    const sent = now();
    const answer = await this.#post(`/batch?atomic=${isAtomic}`, lines.join('\n'), {
      'content-type': 'application/x-ndjson',
    });
    const results = answer.body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as LineResult);
    for (const [index, { productId, price }] of updates.entries()) {
      const result = results[index];
      if (result === undefined) this.surprises.push(`no result for line ${index + 1}`);
      this.#note(productId, price, sent, outcomeOfLine(result));
    }
  }

  async #read(): Promise<void> {
    const productId = this.#random.pick(products);
    const sent = now();
    const response = await fetch(`${this.#url}/api/product/${productId}/price`);
    const body = await response.text();
    const version = Number(/"version":(\d+)/.exec(body)?.[1] ?? 0);
    const price = /"price":([\d.]+)/.exec(body)?.[1] ?? null;
    this.#versions.set(productId, version);
    this.operations.push({ op: 'read', productId, price, version, sent, done: now() });
  }

  /** A price that nobody else writes. */
  #update(): { readonly productId: string; readonly price: string } {
    this.#writes += 1;
    const price = `${1 + this.#number}${String(this.#writes).padStart(4, '0')}.25`;
    return { productId: this.#random.pick(products), price };
  }

  #note(productId: string, price: string, sent: string, outcome: WriteOutcome): void {
    if (outcome.kind === 'acknowledged') this.#versions.set(productId, outcome.version);
    this.operations.push({ op: 'write', productId, price, sent, done: now(), outcome });
  }

  async #post(path: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(`${this.#url}/api/reprice${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    const text = await response.text();
    return { status: response.status, headers: Object.fromEntries(response.headers), body: text };
  }
}

interface LineResult {
  readonly status: number;
  readonly seq: number;
  readonly version: number;
}

function outcomeOfLine(result: LineResult | undefined): WriteOutcome {
  if (result === undefined) return { kind: 'unknown' };
  const { status, seq, version } = result;
  return status === 202 ? { kind: 'acknowledged', seq, version } : { kind: 'refused', status };
}

function isRefused(operation: Operation): boolean {
  return operation.op === 'write' && operation.outcome.kind === 'refused';
}

function now(): string {
  return String(process.hrtime.bigint());
}
