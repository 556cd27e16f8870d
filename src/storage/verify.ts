import type { FileSystem } from '../files/file-system.ts';
import type { Line } from '../files/lines.ts';
import type { PriceRecord } from '../model/price-record.ts';
import type { Timestamp } from '../model/timestamp.ts';
import { checkpointFile, readCheckpoint } from './checkpoint.ts';
import type { Damage } from './damage.ts';
import { Findings } from './findings.ts';
import { LineSums } from './line-sums.ts';
import { productFile } from './product-file.ts';
import { scanSegmentFile } from './segment-scan.ts';
import { type JournalSummary, verifyJournal } from './verify-journal.ts';
import { verifyProducts } from './verify-products.ts';

/** What a full read of a data directory found. */
export interface VerifyReport {
  readonly records: number;
  readonly products: number;
  readonly segments: number;
  readonly journalBytes: number;
  readonly lastTimestamp: Timestamp | undefined;
  /** Undefined when there is none that can be believed. */
  readonly checkpointSeq: number | undefined;
  /** What breaks the format, the first hundred; `damageCount` counts all. */
  readonly damages: readonly Damage[];
  readonly damageCount: number;
  /** What an unclean stop left and the next start mends; no damage. */
  readonly notes: readonly string[];
}

/**
 * Reads everything in a data directory and checks every rule of the format: checksums, seq dense,
 * batches whole, timestamps increasing, sums as the manifest gives them, the checkpoint, and product
 * files as the projection of the journal. Changes nothing. Memory: five bytes for each record.
 */
export async function verifyStore(files: FileSystem, directory: string): Promise<VerifyReport> {
  const findings = new Findings();
  const sums = new LineSums();
  const journal = await verifyJournal(files, directory, findings, sums);
  const checkpointSeq = await verifyCheckpoint(files, directory, findings, journal.lastSeq);
  const trusted = checkpointSeq ?? 0;
  const isBehind = trusted < journal.lastSeq;
  const products = await verifyProducts(files, directory, findings, sums, trusted, isBehind);
  await reportMissing(files, directory, findings, journal, sums.left(), trusted);
  return {
    records: journal.records,
    products,
    segments: journal.segments,
    journalBytes: journal.bytes,
    lastTimestamp: journal.lastTimestamp,
    checkpointSeq,
    damages: findings.damages,
    damageCount: findings.damageCount,
    notes: findings.notes,
  };
}

async function verifyCheckpoint(
  files: FileSystem,
  directory: string,
  findings: Findings,
  lastSeq: number,
): Promise<number | undefined> {
  const checkpoint = await readCheckpoint(files, directory);
  if (checkpoint === undefined) {
    if (lastSeq > 0) findings.note(`${checkpointFile} is missing; the next start makes it anew`);
    return undefined;
  }
  if (checkpoint === 'damaged') {
    findings.damage(checkpointFile, 0, 0, 'it is damaged; the next start makes it anew');
    return undefined;
  }
  if (checkpoint.seq <= lastSeq) return checkpoint.seq;
  findings.damage(checkpointFile, 0, checkpoint.seq, `the journal ends with seq ${lastSeq}`);
  return undefined;
}

/** How many missing records are looked up and named; all are counted. */
const namedMax = 100;

/** Records of the journal that no product file has: damage up to the checkpoint, a matter of time past it. */
async function reportMissing(
  files: FileSystem,
  directory: string,
  findings: Findings,
  journal: JournalSummary,
  missing: readonly number[],
  checkpointSeq: number,
): Promise<void> {
  const lostCount = missing.filter((seq) => seq <= checkpointSeq).length;
  const behind = missing.length - lostCount;
  if (behind > 0) {
    findings.note(
      `product files lack ${behind} records past the checkpoint; the next start adds them`,
    );
  }
  if (lostCount === 0) return;
  const lost = new Set(missing.slice(0, Math.min(lostCount, namedMax)));
  findings.damageCount += lostCount - lost.size;
  const report = (record: PriceRecord, line: Line, segment: string) => {
    if (!lost.has(record.seq)) return;
    const problem = `the record at ${segment}, offset ${line.offset}, is not in it`;
    findings.damage(productFile(record.productId), 0, record.seq, problem);
  };
  for (const { file, firstSeq } of journal.files) {
    await scanSegmentFile(files, directory, file, { firstSeq, after: undefined }, (record, line) =>
      report(record, line, file),
    );
  }
}
