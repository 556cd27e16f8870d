import { hasCode } from '../../../src/errors.ts';
import { verifyStore } from '../../../src/storage/verify.ts';
import { type OpenLedger, openLedger } from '../../support/ledger.ts';
import { productId } from '../../support/records.ts';
import type { SeededRandom } from '../../support/seeded-random.ts';
import { Checker } from '../checker.ts';
import type { Evidence, Fault } from '../fault.ts';
import type { Operation } from '../operation.ts';
import { canRot, type DamagePlan, damageFile, damageKinds } from '../states/damage-file.ts';
import { dataDirectory, History } from '../states/history.ts';
import { MemoryFiles } from '../states/memory-files.ts';
import { asText, storedDifferences } from '../states/stored-differences.ts';
import type { Tree } from '../states/tree.ts';

const trialsPerTarget = { quick: 30, soak: 500 };

export const damagedFiles: Fault = {
  id: 'F13',
  title: 'bit flips, and files emptied, deleted, swapped, doubled, or replaced by old ones',
  needs: [],
  async run(run) {
    const checker = new Checker();
    for (const store of [await killedStore(), await stoppedStore()]) {
      for (const target of store.targets) {
        for (let trial = 1; trial <= trialsPerTarget[run.size]; trial += 1) {
          const plan = planOf(store, target, trial, run.random);
          const name = `${store.name}: ${plan.kind}, ${plan.cause}, ${plan.path}, trial ${trial}`;
          await run.trial(name, () => startOn(checker, store, target, plan, run.random));
        }
      }
    }
    checker.close();
  },
};

/** What is promised of a start on the damage. */
type Promised = 'refused' | 'at most the last batch lost' | 'rebuilt';

interface Target {
  readonly path: RegExp;
  readonly promised: Promised;
  /** Only this part of the file is damaged where the kind allows it. */
  readonly part: (bytes: Buffer) => { readonly from: number; readonly end: number };
}

interface Store {
  readonly name: string;
  readonly tree: Tree;
  readonly older: Tree;
  readonly operations: readonly Operation[];
  readonly targets: readonly Target[];
}

const whole = (bytes: Buffer) => ({ from: 0, end: bytes.length });
const belowLastBatch = (bytes: Buffer) => ({ from: 0, end: lastBatchAt(bytes) });
const lastBatch = (bytes: Buffer) => ({ from: lastBatchAt(bytes), end: bytes.length });

const sealed: Target = { path: /\d\.ndjson$/, promised: 'refused', part: whole };
const derived: readonly Target[] = [
  { path: /_product\/.*\.ndjson$/, promised: 'rebuilt', part: whole },
  { path: /checkpoint\.json$/, promised: 'rebuilt', part: whole },
];

async function killedStore(): Promise<Store> {
  const history = new History();
  const older = await fill(history);
  return {
    name: 'killed',
    tree: history.files.tree.copy(),
    older,
    operations: history.operationsBefore(history.effects.length),
    targets: [
      sealed,
      { path: /\.open$/, promised: 'refused', part: belowLastBatch },
      { path: /\.open$/, promised: 'at most the last batch lost', part: lastBatch },
      { path: /manifest\.ndjson$/, promised: 'refused', part: whole },
      ...derived,
    ],
  };
}

async function stoppedStore(): Promise<Store> {
  const history = new History();
  const older = await fill(history);
  await history.stop();
  return {
    name: 'stopped',
    tree: history.files.tree.copy(),
    older,
    operations: history.operationsBefore(history.effects.length),
    targets: [sealed, { path: /manifest\.ndjson$/, promised: 'refused', part: whole }, ...derived],
  };
}

/** Segments, checkpoints and an open segment; gives the tree as it was some time before the end. */
async function fill(history: History): Promise<Tree> {
  await history.start();
  await history.write('a', 'b');
  await history.write('a', 'c', 'a');
  await history.checkpointed();
  await history.write('b', 'd', 'b');
  const older = history.files.tree.copy();
  await history.write('a', 'c', 'b', 'd');
  await history.checkpointed();
  await history.write('a', 'e');
  await history.write('b', 'c', 'a');
  return older;
}

function planOf(store: Store, target: Target, trial: number, random: SeededRandom): DamagePlan {
  const isIn = (path: string) =>
    target.path.test(path) && path.includes('product') === target.path.source.includes('product');
  const paths = [...store.tree.below(dataDirectory).keys()].filter(isIn);
  const relative = random.pick(paths);
  const bytes = store.tree.below(dataDirectory).get(relative) ?? Buffer.alloc(0);
  const oldVersion = store.older.below(dataDirectory).get(relative);
  const others = paths.filter((path) => path !== relative);
  const isLastBatch = target.promised === 'at most the last batch lost';
  const isOpen = relative.endsWith('.open');
  const kinds = damageKinds.filter((kind) => {
    if (isLastBatch) return canRot(kind);
    // An open segment that ends earlier with a whole batch, or is not there, is like one that was never longer.
    if (isOpen) return canRot(kind) || kind === 'duplicated';
    if (kind === 'swapped') return others.length > 0;
    return kind !== 'old version' || oldVersion !== undefined;
  });
  const kind = kinds[trial % kinds.length] ?? 'bit flip';
  const path = `${dataDirectory}/${relative}`;
  return {
    kind,
    cause: canRot(kind) && random.integer(2) === 0 ? 'rotten' : 'changed',
    path,
    ...target.part(bytes),
    other: `${dataDirectory}/${others[0]}`,
    duplicate: path.replace(/.(\.ndjson|\.json)/, '9$1'),
    oldVersion: oldVersion ?? Buffer.alloc(0),
  };
}

/** Where the last batch begins. */
function lastBatchAt(bytes: Buffer): number {
  const text = bytes.toString('latin1');
  const batch = text.slice(text.lastIndexOf('"batch":')).match(/^"batch":\d+,/)?.[0] ?? '';
  return text.lastIndexOf('\n', text.indexOf(batch)) + 1;
}

async function startOn(
  checker: Checker,
  store: Store,
  target: Target,
  plan: DamagePlan,
  random: SeededRandom,
): Promise<Evidence> {
  const damaged = damageFile(store.tree, plan, random);
  const before = damaged.below(dataDirectory);
  if (storedDifferences(store.tree.below(dataDirectory), before).length === 0) return {};
  const files = new MemoryFiles(damaged);
  let open: OpenLedger;
  try {
    open = await openLedger(dataDirectory, { files, lastPricesMax: 1 });
  } catch (error) {
    const changed = storedDifferences(before, files.tree.below(dataDirectory));
    return { violations: [...refusalProblems(error, target), ...changed.map(wasChanged)] };
  }
  const isMust = target.promised === 'refused' && target.path.source !== 'manifest\\.ndjson$';
  const violations = isMust && plan.cause === 'changed' ? ['it started'] : [];
  if (target.promised !== 'at most the last batch lost') {
    violations.push(...(await wrongAnswers(open, store.operations)));
  }
  await open.ledger.close();
  const found = await checker.check({
    store: { files: asText(files.tree.below(dataDirectory)) },
    state: 'stopped',
    operations: store.operations,
  });
  if (target.promised === 'at most the last batch lost') {
    return {
      violations: [...violations, ...found.violations.filter(isNoLoss), ...tooMany(found.lost)],
    };
  }
  const isWhole = found.lost + found.phantom + found.violations.length === 0;
  if (isWhole) return { violations };
  // What a start need not read stays, and "verify" finds it, also afterwards.
  const mayStay = isMust || plan.kind === 'duplicated';
  const { damageCount } = await verifyStore(files, dataDirectory);
  if (mayStay && damageCount > 0) return { violations };
  const { lost, phantom } = found;
  return { lost, phantom, violations: [...violations, ...found.violations] };
}

function refusalProblems(error: unknown, { promised }: Target): readonly string[] {
  if (!hasCode(error, 'JOURNAL_DAMAGED')) return [`the start failed with ${error}`];
  if (!/\S+, offset \d+, seq \d+: /.test(error.message)) return [error.message];
  return promised === 'rebuilt' ? [`refused, though it can be made anew: ${error.message}`] : [];
}

function wasChanged(path: string): string {
  return `${path}: a refused start changed it`;
}

/** The checker gives lost records as sentences too; here they are counted. */
function isNoLoss(violation: string): boolean {
  return !violation.startsWith('lost: ');
}

/** The last batch of the scenario has three records. */
function tooMany(lost: number): readonly string[] {
  return lost > 3 ? [`${lost} records are gone, more than the last batch`] : [];
}

/** Every product's last price and all of its records, read: each is right, or the reader gets an error. */
async function wrongAnswers(
  { ledger }: OpenLedger,
  operations: readonly Operation[],
): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const product of new Set(operations.map((operation) => operation.productId))) {
    const prices = pricesOf(product, operations);
    const id = productId(product);
    await orDamage(async () => {
      const { newPrice } = await ledger.currentPrice(id);
      if (newPrice !== prices.at(-1)) wrong.push(`${product} has ${newPrice}`);
    });
    await orDamage(async () => {
      const query = { productIds: [id], order: 'asc', pageSize: 100, pageNumber: 1 } as const;
      const read = (await ledger.query(query)).map(({ newPrice }) => newPrice);
      if (read.join() !== prices.join()) wrong.push(`${product} had ${read}, not ${prices}`);
    });
  }
  return wrong;
}

async function orDamage(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!hasCode(error, 'PRODUCT_FILE_DAMAGED', 'JOURNAL_DAMAGED')) throw error;
  }
}

/** What was acknowledged for a product, by version. */
function pricesOf(product: string, operations: readonly Operation[]): readonly string[] {
  const prices: string[] = [];
  for (const operation of operations) {
    if (operation.op !== 'write' || operation.productId !== product) continue;
    const { outcome, price } = operation;
    if (outcome.kind === 'acknowledged') prices[outcome.version - 1] = price;
  }
  return prices;
}
