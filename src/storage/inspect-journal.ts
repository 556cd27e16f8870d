import { join } from 'node:path';
import type { FileSystem } from '../files/file-system.ts';
import { type Checkpoint, readCheckpoint } from './checkpoint.ts';
import { journalDamaged } from './damage.ts';
import { readManifest, type SealedSegment } from './manifest.ts';
import { findProductRecordBeyond } from './product-tails.ts';
import type { RefusedCase } from './recovery-case.ts';
import { openSuffix, resultsDirectory } from './segment-file.ts';
import { listSegments, type SegmentNames } from './segment-names.ts';
import { type SegmentScan, type SegmentStart, scanSegmentFile } from './segment-scan.ts';

/** What a look at a data directory found, before anything is changed. */
export interface JournalFindings {
  /** Sealed segments that the manifest lists, in order. */
  readonly listed: readonly SealedSegment[];
  /** Sealed segments that it does not list: a crash came between the renaming and the listing. */
  readonly unlisted: readonly SealedSegment[];
  readonly manifestBytes: number;
  /** The segment that was being written when the process ended without sealing it. */
  readonly open: OpenFindings | undefined;
  /** Undefined when there is none that can be believed. */
  readonly checkpoint: Checkpoint | undefined;
  readonly isCheckpointDamaged: boolean;
  /** Segments whose content had to be read and checked; the next checkpoint makes that needless. */
  readonly segmentsRead: number;
  /** What interrupted replacements left. */
  readonly leftovers: readonly string[];
}

/** What was found of the segment that was being written. */
export interface OpenFindings {
  /** Path within the data directory, with the suffix of an open segment. */
  readonly file: string;
  readonly bytes: number;
  /** Its whole batches, and nothing after them. */
  readonly whole: SealedSegment | undefined;
  readonly start: SegmentStart;
  readonly wholeBytes: number;
}

/**
 * Reads what a start needs to know and judges it, changing nothing: the manifest, the names and sizes
 * of all segments, and the content of those that changed after the checkpoint was written. Of any
 * file, the kernel's time of last change says so, and no program can set that back.
 *
 * What it may find and what is made of it: `recoveryCases`, and in words docs/recovery.md. A torn tail
 * is a missing newline, a bad checksum or missing lines at the end of the open segment, with no good
 * record of another batch after it; what is bad anywhere else throws `JOURNAL_DAMAGED`.
 */
export async function inspectJournal(
  files: FileSystem,
  directory: string,
): Promise<JournalFindings> {
  const manifest = await readManifest(files, directory);
  const found = await readCheckpoint(files, directory);
  const names = await listSegments(files, directory);
  refuseDuplicates(names);
  const inspection = new Inspection(files, directory);
  for (const segment of manifest.segments) await inspection.checkListed(segment, names, found);
  const unlisted = await inspection.readUnlisted(names);
  const open = await inspection.readOpen(names);
  const lastSeq = open?.whole?.lastSeq ?? inspection.lastSeq;
  await refuseLostRecords(files, directory, lastSeq, found, open);
  return {
    listed: manifest.segments,
    unlisted,
    manifestBytes: manifest.bytes,
    open,
    checkpoint: found === 'damaged' ? undefined : found,
    isCheckpointDamaged: found === 'damaged',
    segmentsRead: inspection.segmentsRead,
    leftovers: names.leftovers,
  };
}

/** Analysts would read the records of both. */
function refuseDuplicates({ duplicates }: SegmentNames): void {
  const [duplicate] = duplicates;
  if (duplicate === undefined) return;
  const { file, firstSeq: seq } = duplicate;
  const problem = 'there are two segments that begin with this seq';
  throw journalDamaged('sealed-twice', { file, offset: 0, seq, problem });
}

/** Records enter product files and the checkpoint only when they are on disk in the journal. */
async function refuseLostRecords(
  files: FileSystem,
  directory: string,
  lastSeq: number,
  checkpoint: Checkpoint | 'damaged' | undefined,
  open: OpenFindings | undefined,
): Promise<void> {
  const fail = (label: RefusedCase, witness: string) =>
    journalDamaged(label, {
      file: open?.file ?? resultsDirectory,
      offset: open?.wholeBytes ?? 0,
      seq: lastSeq + 1,
      problem: `the journal ends before it, but ${witness}`,
    });
  if (typeof checkpoint === 'object' && checkpoint.seq > lastSeq) {
    throw fail(
      'checkpoint-beyond-journal',
      `the checkpoint says that seq ${checkpoint.seq} was on disk`,
    );
  }
  const isTorn = open !== undefined && open.bytes > open.wholeBytes;
  // Without a checkpoint product files are the only witnesses, and would be made anew from less than they hold.
  if (!isTorn && typeof checkpoint === 'object') return;
  const beyond = await findProductRecordBeyond(files, directory, lastSeq);
  if (beyond === undefined) return;
  const label = isTorn ? 'product-beyond-torn-tail' : 'product-beyond-journal';
  throw fail(label, `${beyond.file} holds seq ${beyond.seq}`);
}

/** Goes through the segments in order and keeps the seq and timestamp that the next one must go on from. */
class Inspection {
  readonly #files: FileSystem;
  readonly #directory: string;
  #last: SealedSegment | undefined;
  readonly #listedSeqs = new Set<number>();
  #segmentsRead = 0;

  constructor(files: FileSystem, directory: string) {
    this.#files = files;
    this.#directory = directory;
  }

  get lastSeq(): number {
    return this.#last?.lastSeq ?? 0;
  }

  get segmentsRead(): number {
    return this.#segmentsRead;
  }

  async checkListed(
    segment: SealedSegment,
    names: SegmentNames,
    checkpoint: Checkpoint | 'damaged' | undefined,
  ): Promise<void> {
    const { file, firstSeq: seq } = segment;
    const fail = (label: RefusedCase, offset: number, problem: string) =>
      journalDamaged(label, { file, offset, seq, problem });
    if (seq !== this.lastSeq + 1) {
      throw fail('manifest-gap', 0, `seq ${this.lastSeq + 1} should come next`);
    }
    if (names.sealed.get(seq) !== file) {
      throw fail('sealed-missing', 0, 'the sealed segment is missing');
    }
    const stat = await this.#files.stat(join(this.#directory, file));
    if (stat.bytes !== segment.bytes) {
      const offset = Math.min(stat.bytes, segment.bytes);
      const problem = `it has ${stat.bytes} bytes, and ${segment.bytes} when it was sealed`;
      throw fail('sealed-size', offset, problem);
    }
    const isKnownGood =
      typeof checkpoint === 'object' && stat.changedAtNs <= checkpoint.changedAtNs;
    if (!isKnownGood) await this.#checkSum(segment);
    this.#listedSeqs.add(seq);
    this.#last = segment;
  }

  /** Sealed segments after the listed ones. They must be whole: sealing began after their last sync. */
  async readUnlisted(names: SegmentNames): Promise<readonly SealedSegment[]> {
    const unlisted: SealedSegment[] = [];
    this.#refuseStrays(names);
    const firstSeqs = [...names.sealed.keys()].filter((seq) => seq > this.lastSeq);
    for (const firstSeq of firstSeqs.sort((a, b) => a - b)) {
      const file = names.sealed.get(firstSeq) ?? '';
      if (firstSeq !== this.lastSeq + 1) throw this.#gap(file, firstSeq);
      const scan = await this.#scan(file);
      const segment = toSegment(file, firstSeq, scan);
      if (scan.fault !== undefined)
        throw journalDamaged('sealed-bad-line', { file, ...scan.fault });
      if (segment === undefined) {
        const problem = 'a sealed segment without a record';
        throw journalDamaged('sealed-empty', { file, offset: 0, seq: firstSeq, problem });
      }
      unlisted.push(segment);
      this.#last = segment;
    }
    return unlisted;
  }

  /** A segment among the listed ones that the manifest does not know would be read twice by analysts. */
  #refuseStrays(names: SegmentNames): void {
    for (const [seq, file] of names.sealed) {
      if (seq > this.lastSeq || this.#listedSeqs.has(seq)) continue;
      const problem = 'the manifest lists no segment that begins with this seq';
      throw journalDamaged('sealed-stray', { file, offset: 0, seq, problem });
    }
  }

  async readOpen(names: SegmentNames): Promise<OpenFindings | undefined> {
    const [open, second] = names.open;
    if (open === undefined) return undefined;
    if (second !== undefined) {
      const problem = 'there is more than one open segment';
      const { file, firstSeq: seq } = second;
      throw journalDamaged('two-open-segments', { file, offset: 0, seq, problem });
    }
    const { file, firstSeq } = open;
    if (firstSeq !== this.lastSeq + 1) throw this.#gap(file, firstSeq);
    const start = this.#next;
    const scan = await this.#scan(file);
    if (scan.fault !== undefined && scan.otherBatch !== undefined) {
      const { offset, seq } = scan.otherBatch;
      const problem = `${scan.fault.problem}, but a good record of another batch (seq ${seq}, offset ${offset}) follows`;
      throw journalDamaged('bad-line-below-tail', { file, ...scan.fault, problem });
    }
    const whole = toSegment(file.slice(0, -openSuffix.length), firstSeq, scan);
    return { file, bytes: scan.size, whole, start, wholeBytes: scan.bytes };
  }

  async #checkSum(segment: SealedSegment): Promise<void> {
    const { file, firstSeq } = segment;
    const scan = await this.#scan(file);
    if (scan.fault !== undefined) throw journalDamaged('sealed-bad-line', { file, ...scan.fault });
    if (scan.sha256 !== segment.sha256) {
      const problem = 'its sum is not the one that the manifest gives, though each line is good';
      throw journalDamaged('sealed-sum', { file, offset: 0, seq: firstSeq, problem });
    }
  }

  #scan(file: string): Promise<SegmentScan & { readonly size: number }> {
    this.#segmentsRead += 1;
    return scanSegmentFile(this.#files, this.#directory, file, this.#next);
  }

  get #next(): SegmentStart {
    return { firstSeq: this.lastSeq + 1, after: this.#last?.lastTimestamp };
  }

  #gap(file: string, seq: number): Error {
    const problem = `the segments before it end with seq ${this.lastSeq}`;
    return journalDamaged('gap-in-seq', { file, offset: 0, seq, problem });
  }
}

/** The whole batches of a scanned segment as a sealed one; undefined when it has none. */
export function toSegment(
  file: string,
  firstSeq: number,
  scan: SegmentScan,
): SealedSegment | undefined {
  const { rows, lastSeq, firstTimestamp, lastTimestamp, bytes, sha256, keyedRows } = scan;
  if (firstTimestamp === undefined || lastTimestamp === undefined) return undefined;
  const range = { firstSeq, lastSeq, firstTimestamp, lastTimestamp };
  return { file, rows, ...range, bytes, sha256, keyedRows };
}
