import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../access/client.ts';
import { hasCode } from '../errors.ts';
import { failedDependency } from '../ledger/batch.ts';
import type { PriceLedger } from '../ledger/price-ledger.ts';
import type { Reprice, RepriceResult } from '../ledger/reprice.ts';
import type { Outcome } from '../ledger/write-queue.ts';
import type { BatchParameters } from './batch-parameters.ts';
import type { BodyPart } from './body-parts.ts';
import { presentLineProblem, presentLineResult } from './present-line-result.ts';
import { parseBatchLine } from './price-update-body.ts';
import { requireProduct } from './require-access.ts';

/** What became of some lines of a batch. */
export interface LineResults {
  /** A line for each of them, in order. */
  readonly text: string;
  readonly areAllGood: boolean;
  /** What kept all of them from being recorded, and would the next lines as well. */
  readonly failure: { readonly error: unknown } | undefined;
}

/**
 * Records what the lines ask for in one group, and tells of each what became of it. `identify` gives the
 * client as it is known now, or throws when it may not reprice any more.
 */
export async function repriceLines(
  ledger: Pick<PriceLedger, 'repriceAll'>,
  parts: readonly BodyPart[],
  parameters: BatchParameters,
  identify: () => Client,
): Promise<LineResults> {
  try {
    return await recordLines(ledger, parts, parameters, identify());
  } catch (error) {
    if (!hasCode(error, 'UNAUTHENTICATED', 'SCOPE_MISSING')) throw error;
    const text = parts.map(({ number }) => presentLineProblem(number, error)).join('');
    return { text, areAllGood: false, failure: { error } };
  }
}

async function recordLines(
  ledger: Pick<PriceLedger, 'repriceAll'>,
  parts: readonly BodyPart[],
  parameters: BatchParameters,
  client: Client,
): Promise<LineResults> {
  const lines = parts.map((part) => parseLine(part, parameters, client));
  const good = lines.filter((line) => 'reprice' in line);
  const isRefused = parameters.isAtomic && good.length < lines.length;
  const outcomes = isRefused
    ? { all: failedDependency() }
    : await commit(ledger, good, parameters.isAtomic);
  let next = 0;
  const texts = lines.map((line) => {
    if (!('reprice' in line)) return presentLineProblem(line.number, line.error);
    if ('all' in outcomes) return presentLineProblem(line.number, outcomes.all);
    const outcome = outcomes.each[next];
    next += 1;
    return outcome !== undefined && 'result' in outcome
      ? presentLineResult(line.number, line.reprice.update.productId, outcome.result)
      : presentLineProblem(line.number, outcome?.error);
  });
  return {
    text: texts.join(''),
    areAllGood: good.length === lines.length && 'each' in outcomes && !outcomes.each.some(isError),
    failure: !isRefused && 'all' in outcomes ? { error: outcomes.all } : undefined,
  };
}

type Line =
  | { readonly number: number; readonly reprice: Reprice }
  | { readonly number: number; readonly error: unknown };

function parseLine(part: BodyPart, { terms }: BatchParameters, client: Client): Line {
  if ('error' in part) return part;
  const { number, bytes } = part;
  const actor = client.name === undefined ? {} : { actor: client.name };
  try {
    const line = parseBatchLine(bytes);
    requireProduct(client, line.update.productId);
    const update = { ...line.update, ...actor };
    return { number, reprice: { update, terms: { ...line.terms, ...terms } } };
  } catch (error) {
    return { number, error };
  }
}

/** An outcome for each line, or what kept all of them from being recorded. */
type Outcomes = { readonly each: readonly Outcome<RepriceResult>[] } | { readonly all: unknown };

/** How long a batch waits in all for product files that fall behind it, which is usual for long ones. */
const patienceMs = 60_000;
const againMs = 50;

async function commit(
  ledger: Pick<PriceLedger, 'repriceAll'>,
  lines: readonly { readonly reprice: Reprice }[],
  isAtomic: boolean,
): Promise<Outcomes> {
  if (lines.length === 0) return { each: [] };
  const reprices = lines.map(({ reprice }) => reprice);
  const giveUpMs = performance.now() + patienceMs;
  for (;;) {
    try {
      return { each: await ledger.repriceAll({ reprices, isAtomic }) };
    } catch (error) {
      if (!hasCode(error, 'BACKLOG_FULL') || performance.now() > giveUpMs) return { all: error };
      await delay(againMs);
    }
  }
}

function isError(outcome: Outcome<unknown>): boolean {
  return 'error' in outcome;
}
