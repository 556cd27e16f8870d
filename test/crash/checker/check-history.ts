import type { Operation, Read, Write } from '../operation.ts';
import type { StoredRecord } from './stored-record.ts';

export interface HistoryResult {
  readonly acknowledged: number;
  readonly unknown: number;
  readonly lost: number;
  readonly phantom: number;
  readonly violations: readonly string[];
}

/**
 * What the clients were told against what is in the journal: each acknowledged write is there as it was
 * acknowledged (I1), no refused one is (I5), and all that was seen fits one order (I9).
 */
export function checkHistory(
  operations: readonly Operation[],
  records: readonly StoredRecord[],
  filledUpTo = 0,
): HistoryResult {
  const writes = operations.filter((operation) => operation.op === 'write');
  const reads = operations.filter((operation) => operation.op === 'read');
  const writeOf = new Map(writes.map((write) => [keyOf(write.productId, write.price), write]));
  const lost = writes.filter((write) => isLost(write, records));
  const phantoms = records.slice(filledUpTo).filter((record) => isPhantom(record, writeOf));
  const placed = place(records, writeOf);
  return {
    acknowledged: writes.filter(({ outcome }) => outcome.kind === 'acknowledged').length,
    unknown: writes.filter(({ outcome }) => outcome.kind === 'unknown').length,
    lost: lost.length,
    phantom: phantoms.length,
    violations: [
      ...lost.map((write) => `lost: ${JSON.stringify(write)}`),
      ...phantoms.map(({ line }) => `nobody wrote, or was refused: ${line}`),
      ...doubles(records),
      ...realTimeProblems(placed),
      ...versionProblems(placed, reads),
    ].slice(0, 100),
  };
}

/** A record, and when the request that made it was sent and answered, in nanoseconds. */
interface Placed {
  readonly record: StoredRecord;
  readonly sent: bigint;
  /** Undefined while nobody was told: then it may have taken effect at any time later. */
  readonly done: bigint | undefined;
}

function keyOf(productId: string, price: string): string {
  return `${price} ${productId}`;
}

function isLost({ outcome, productId, price }: Write, records: readonly StoredRecord[]): boolean {
  if (outcome.kind !== 'acknowledged') return false;
  const record = records[outcome.seq - 1];
  const { receipt = record } = outcome;
  return (
    record?.seq !== outcome.seq ||
    record.productId !== productId ||
    record.newPrice !== price ||
    record.version !== outcome.version ||
    record.previousPrice !== receipt?.previousPrice ||
    record.timestamp !== receipt.timestamp
  );
}

function isPhantom(record: StoredRecord, writeOf: ReadonlyMap<string, Write>): boolean {
  const write = writeOf.get(keyOf(record.productId, record.newPrice));
  return write === undefined || write.outcome.kind === 'refused';
}

/** A write has a price of its own, so a price that stands twice is one request recorded twice. */
function doubles(records: readonly StoredRecord[]): readonly string[] {
  const seen = new Set<string>();
  return records.flatMap(({ productId, newPrice, line }) => {
    const key = keyOf(productId, newPrice);
    if (seen.has(key)) return [`recorded twice: ${line}`];
    seen.add(key);
    return [];
  });
}

function place(
  records: readonly StoredRecord[],
  writeOf: ReadonlyMap<string, Write>,
): readonly Placed[] {
  return records.flatMap((record) => {
    const write = writeOf.get(keyOf(record.productId, record.newPrice));
    if (write === undefined) return [];
    const isTold = write.outcome.kind === 'acknowledged';
    return [{ record, sent: BigInt(write.sent), done: isTold ? BigInt(write.done) : undefined }];
  });
}

/** A write that was acknowledged before another was sent has the lower seq. */
function realTimeProblems(placed: readonly Placed[]): readonly string[] {
  let latestSent = 0n;
  return placed.flatMap(({ record, sent, done }) => {
    const isLate = done !== undefined && done < latestSent;
    if (sent > latestSent) latestSent = sent;
    return isLate ? [`seq ${record.seq} was acknowledged before a lower one was asked for`] : [];
  });
}

/** An operation on a product, at its place in the only order that its version allows. */
interface Step {
  readonly version: number;
  readonly isRead: boolean;
  readonly sent: bigint;
  readonly done: bigint | undefined;
}

/**
 * Linearizability of each product, a register whose every write says its version: the order is given
 * (a version's write, then its reads), so all there is to check is that nobody was answered before
 * something lower in that order was asked for. O(n log n), where a search over orders would be
 * exponential; see Gibbons and Korach, Testing Shared Memories, 1997, on histories with known writes.
 */
function versionProblems(placed: readonly Placed[], reads: readonly Read[]): readonly string[] {
  const prices = new Map<string, string>();
  const stepsOf = new Map<string, Step[]>();
  const add = (productId: string, step: Step) => {
    const steps = stepsOf.get(productId);
    if (steps === undefined) stepsOf.set(productId, [step]);
    else steps.push(step);
  };
  for (const { record, sent, done } of placed) {
    const { productId, version, newPrice } = record;
    prices.set(keyOf(productId, String(version)), newPrice);
    add(productId, { version, isRead: false, sent, done });
  }
  const problems: string[] = [];
  for (const { productId, version, price, sent, done } of reads) {
    add(productId, { version, isRead: true, sent: BigInt(sent), done: BigInt(done) });
    const written = version === 0 ? null : prices.get(keyOf(productId, String(version)));
    if (price !== written) {
      problems.push(`version ${version} of ${productId} was read as ${price}, it is ${written}`);
    }
  }
  for (const [productId, steps] of stepsOf) problems.push(...orderProblems(productId, steps));
  return problems;
}

function orderProblems(productId: string, steps: Step[]): readonly string[] {
  steps.sort((a, b) => a.version - b.version || Number(a.isRead) - Number(b.isRead));
  const problems: string[] = [];
  let latestSent = 0n;
  for (let start = 0; start < steps.length; ) {
    const level = levelAt(steps, start);
    for (const { done, isRead, version } of level) {
      if (done === undefined || done >= latestSent) continue;
      problems.push(
        `${isRead ? 'a read' : 'the write'} of version ${version} of ${productId} ended before something older began`,
      );
    }
    for (const { sent } of level) if (sent > latestSent) latestSent = sent;
    start += level.length;
  }
  return problems;
}

/** The steps that stand at the same place as the one at `start`: a version's write, or its reads. */
function levelAt(steps: readonly Step[], start: number): readonly Step[] {
  const first = steps[start];
  let end = start + 1;
  while (steps[end]?.version === first?.version && steps[end]?.isRead === first?.isRead) end += 1;
  return steps.slice(start, end);
}
