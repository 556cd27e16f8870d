import assert from 'node:assert';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../../access/client.ts';
import { hasCode, RepricerError } from '../../errors.ts';
import { failedDependency } from '../../ledger/batch.ts';
import type { PriceLedger } from '../../ledger/price-ledger.ts';
import type { Rehearsal } from '../../ledger/rehearsal.ts';
import type { Reprice, RepriceGroup, RepriceResult } from '../../ledger/reprice.ts';
import type { Outcome } from '../../ledger/write-queue.ts';
import { requireProduct } from '../access/require-access.ts';
import { toProblem } from '../server/problem.ts';
import type { BatchParameters } from './batch-parameters.ts';
import type { BodyPart } from './body-parts.ts';
import { presentLineProblem, presentLineResult } from './present-line-result.ts';
import { parseBatchLine } from './price-update-body.ts';
import type { RepriceTally } from './reprice-tally.ts';

/** What became of some lines of a batch. */
export interface LineResults {
  /** A line for each of them, in order. */
  readonly text: string;
  readonly areAllGood: boolean;
  /** What kept all of them from being recorded, and would the next lines as well. */
  readonly failure: { readonly error: unknown } | undefined;
  /** The first failure that was none of a client's, of one line or of all. */
  readonly ownFailure: { readonly error: unknown } | undefined;
}

/** What the lines of a batch have in common. */
export interface RepriceBatch {
  readonly ledger: Pick<PriceLedger, 'repriceAll'>;
  readonly parameters: BatchParameters;
  /** The client as it is known now; throws when it may not reprice any more. */
  readonly identify: () => Client;
  /** Of a dry batch: what its lines before would have recorded. */
  readonly rehearsal: Rehearsal;
  /** Counts what became of the lines. */
  readonly tally: RepriceTally;
}

/** Records what the lines ask for in one group, and tells of each what became of it. */
export async function repriceLines(
  batch: RepriceBatch,
  parts: readonly BodyPart[],
): Promise<LineResults> {
  try {
    requireRehearsable(batch.rehearsal);
    return await recordLines(batch, parts, batch.identify());
  } catch (error) {
    if (!hasCode(error, 'UNAUTHENTICATED', 'SCOPE_MISSING', 'BODY_TOO_LARGE')) throw error;
    batch.tally.refuse(error, parts.length);
    const text = parts.map(({ number }) => presentLineProblem(number, error)).join('');
    return { text, areAllGood: false, failure: { error }, ownFailure: undefined };
  }
}

/** Products and keys that a dry run may remember: 20 MB at most. */
const rehearsedMax = 100_000;

function requireRehearsable({ size }: Rehearsal): void {
  if (size < rehearsedMax) return;
  const why = `A dry run has at most ${rehearsedMax} products and keys; send what follows in another.`;
  throw new RepricerError('BODY_TOO_LARGE', why);
}

async function recordLines(
  { ledger, parameters, rehearsal, tally }: RepriceBatch,
  parts: readonly BodyPart[],
  client: Client,
): Promise<LineResults> {
  const lines = parts.map((part) => parseLine(part, parameters, client));
  const good = lines.filter((line) => 'reprice' in line);
  const isRefused = parameters.isAtomic && good.length < lines.length;
  const { outcomes, failure } = isRefused
    ? { outcomes: good.map(() => ({ error: failedDependency() })), failure: undefined }
    : await commit(ledger, good, { isAtomic: parameters.isAtomic, rehearsal });
  const inOrder = outcomes.values();
  for (const line of lines) if ('error' in line) tally.refuse(line.error, 1);
  for (const outcome of outcomes) tally.add(outcome);
  const errors = outcomes.filter(isError);
  return {
    text: lines.map((line) => present(line, inOrder)).join(''),
    areAllGood: good.length === lines.length && errors.length === 0,
    failure,
    ownFailure: errors.find(({ error }) => toProblem(error).status >= 500),
  };
}

interface GoodLine {
  readonly number: number;
  readonly reprice: Reprice;
}

type Line = GoodLine | { readonly number: number; readonly error: unknown };

function parseLine(part: BodyPart, { terms }: BatchParameters, client: Client): Line {
  if ('error' in part) return part;
  const { number, bytes } = part;
  try {
    const line = parseBatchLine(bytes);
    requireProduct(client, line.update.productId);
    const { name: actor } = client;
    const update = actor === undefined ? line.update : { ...line.update, actor };
    return { number, reprice: { update, terms: { ...line.terms, ...terms } } };
  } catch (error) {
    return { number, error };
  }
}

/** An outcome for each line, and what kept all of them from being recorded. */
interface Committed extends Pick<LineResults, 'failure'> {
  readonly outcomes: readonly Outcome<RepriceResult>[];
}

/** How long a batch waits in all for product files that fall behind it, which is usual for long ones. */
const patienceMs = 60_000;
const againMs = 50;

async function commit(
  ledger: Pick<PriceLedger, 'repriceAll'>,
  lines: readonly GoodLine[],
  group: Omit<RepriceGroup, 'reprices'>,
): Promise<Committed> {
  if (lines.length === 0) return { outcomes: [], failure: undefined };
  const reprices = lines.map(({ reprice }) => reprice);
  const giveUpMs = performance.now() + patienceMs;
  for (;;) {
    try {
      const outcomes = await ledger.repriceAll({ ...group, reprices });
      return { outcomes, failure: undefined };
    } catch (error) {
      const mayWait = hasCode(error, 'BACKLOG_FULL') && performance.now() <= giveUpMs;
      if (!mayWait) return { outcomes: lines.map(() => ({ error })), failure: { error } };
      await delay(againMs);
    }
  }
}

/** `outcomes`: those of the good lines from this one on. */
function present(line: Line, outcomes: Iterator<Outcome<RepriceResult>>): string {
  if ('error' in line) return presentLineProblem(line.number, line.error);
  const next = outcomes.next();
  assert(next.done !== true, 'every reprice has an outcome');
  const outcome = next.value;
  return 'error' in outcome
    ? presentLineProblem(line.number, outcome.error)
    : presentLineResult(line.number, line.reprice.update.productId, outcome.result);
}

function isError(outcome: Outcome<unknown>): outcome is { readonly error: unknown } {
  return 'error' in outcome;
}
