import { dirname, join, relative } from 'node:path';
import { RepricerError } from '../errors.ts';
import { makeDirectories } from '../files/directories.ts';
import type { FileSystem } from '../files/file-system.ts';
import type { Line } from '../files/lines.ts';
import { replaceFile } from '../files/replace-file.ts';
import { copyAside, setAside } from '../files/set-aside.ts';
import { readCheckpoint } from './checkpoint.ts';
import { type FaultySegment, findFaultySegments } from './faulty-segments.ts';
import { readGoodLines } from './manifest.ts';
import { collectCopies, type ProductCopies } from './product-copies.ts';
import { BadRecord, decodeRecord } from './record.ts';
import { mergedLines } from './repair-lines.ts';
import { type NeededSegment, planRepair, type RepairPlan } from './repair-plan.ts';
import { openSuffix, segmentFile } from './segment-file.ts';
import { type Loss, lossOf } from './segment-loss.ts';
import { listSegments } from './segment-names.ts';
import { type SegmentScan, type SegmentStart, scanLines, scanSegmentFile } from './segment-scan.ts';
import { type SeqRange, SeqRanges } from './seq-ranges.ts';

/** A file of the journal that is mended, or could be. */
export interface Mending {
  /** Path within the data directory. */
  readonly file: string;
  /** What its product files had and it had not; empty when its own lines were enough, or too many. */
  readonly restored: readonly SeqRange[];
  /** How the mended file compares with the manifest's sum, or why it is put aside. */
  readonly sum: 'as sealed' | 'not listed' | 'superfluous' | 'twin';
  /** Where the file that was there is kept; undefined when there was none or nothing was changed. */
  readonly keptAs: string | undefined;
}

export interface JournalRepair {
  readonly mended: readonly Mending[];
  readonly lost: readonly Loss[];
}

/** Lines from product files that are held in memory at once; a segment of more is a group of its own. */
const groupRecordsMax = 500_000;

/**
 * Mends the journal from product files, segment by segment: a segment is replaced when it can be
 * made whole, and left as it is when not. Every line that takes another's place has a good checksum,
 * and the whole segment passes what a start checks, its sum in the manifest included. What was there
 * is kept beside it as `.broken`. Without `isApplied` nothing is changed.
 *
 * It may be interrupted at any point and run again.
 */
export async function repairJournal(
  files: FileSystem,
  directory: string,
  isApplied: boolean,
): Promise<JournalRepair> {
  const { segments: listed } = await readGoodLines(files, directory);
  const plan = planRepair(listed, await listSegments(files, directory));
  const found = await readCheckpoint(files, directory);
  const checkpointSeq = typeof found === 'object' ? found.seq : 0;
  const repair = new Repair(files, directory, isApplied, checkpointSeq);
  await repair.judgeRivals(plan);
  const faulty = await findFaultySegments(files, directory, plan.segments);
  // The end first: lines of it that stand in another segment are there for a second run until it is whole.
  for (const group of inGroups(faulty.toReversed())) await repair.mendGroup(group, faulty);
  await repair.setSpareAside(plan);
  const byFile = (a: { file: string }, b: { file: string }) => (a.file < b.file ? -1 : 1);
  return { mended: repair.mended.toSorted(byFile), lost: repair.lost.toSorted(byFile) };
}

class Repair {
  readonly mended: Mending[] = [];
  readonly lost: Loss[] = [];
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #isApplied: boolean;
  readonly #checkpointSeq: number;
  /** Segments of which another file holds the same bytes. */
  readonly #twins: string[] = [];

  constructor(files: FileSystem, directory: string, isApplied: boolean, checkpointSeq: number) {
    this.#files = files;
    this.#directory = directory;
    this.#isApplied = isApplied;
    this.#checkpointSeq = checkpointSeq;
  }

  /** Of two segments that are the same to the byte either is enough; between others nothing decides. */
  async judgeRivals({ segments, rivals }: RepairPlan): Promise<void> {
    for (const { file, firstSeq } of rivals) {
      const chosen = segments.find((segment) => segment.firstSeq === firstSeq)?.source;
      if (!file.endsWith(openSuffix) && (await this.#isSame(file, chosen))) {
        this.#twins.push(file);
        continue;
      }
      const problem = 'another segment begins with this seq, and the manifest lists neither';
      const seqs = [{ first: firstSeq, last: firstSeq }];
      this.lost.push({ file, offset: 0, seqs, problem, suspects: [] });
    }
  }

  async mendGroup(
    group: readonly FaultySegment[],
    faulty: readonly FaultySegment[],
  ): Promise<void> {
    const wanted = new SeqRanges();
    for (const { first, last } of group.toReversed().flatMap((one) => one.wanted.ranges))
      wanted.add(first, last);
    const segments = faulty.map(({ segment }) => segment);
    const copies = await collectCopies(this.#files, this.#directory, wanted, segments);
    for (const faulty of group) await this.#mend(faulty, copies);
  }

  async setSpareAside({ superfluous }: RepairPlan): Promise<void> {
    // One of them may be all that is left of a segment that could not be mended.
    if (this.lost.length > 0) return;
    for (const file of superfluous) await this.#setAside(file, 'superfluous');
    for (const file of this.#twins) await this.#setAside(file, 'twin');
  }

  async #setAside(file: string, why: 'superfluous' | 'twin'): Promise<void> {
    const keptAs = this.#isApplied ? await setAside(this.#files, this.#path(file)) : undefined;
    this.#note(file, [], why, keptAs);
  }

  async #isSame(file: string, other: string | undefined): Promise<boolean> {
    if (other === undefined) return false;
    const start = { firstSeq: 1, after: undefined };
    const one = await scanSegmentFile(this.#files, this.#directory, file, start);
    const two = await scanSegmentFile(this.#files, this.#directory, other, start);
    return one.sha256 === two.sha256;
  }

  async #mend(faulty: FaultySegment, copies: ProductCopies): Promise<void> {
    const { segment, start, wanted, goodSeq, knownSeq } = faulty;
    const isLast = segment.lastSeq === Number.POSITIVE_INFINITY;
    const lastSeq = isLast
      ? Math.max(knownSeq, this.#checkpointSeq, copies.lastSeq)
      : segment.lastSeq;
    if (goodSeq >= lastSeq) return;
    // What its own file has past there is kept, and judged by the next start as it would have been.
    const needed = isLast ? segment : { ...segment, lastSeq };
    const lines = () => mergedLines(this.#files, this.#directory, needed, wanted, copies.lines);
    const file = needed.file ?? nameOf(needed, copies);
    const scan = await scanLines(lines(), start);
    const loss = lossOf(faulty, file, lastSeq, scan, copies);
    if (loss !== undefined) {
      this.lost.push(loss);
      return;
    }
    const restored = new SeqRanges();
    for (const { first, last } of wanted.ranges) restored.add(first, Math.min(last, lastSeq));
    const keptAs = this.#isApplied
      ? await this.#replace(needed, file, start, scan, lines())
      : undefined;
    this.#note(
      file,
      restored.ranges,
      segment.listed === undefined ? 'not listed' : 'as sealed',
      keptAs,
    );
  }

  async #replace(
    { source }: NeededSegment,
    file: string,
    start: SegmentStart,
    { sha256 }: SegmentScan,
    lines: AsyncIterable<readonly Line[]>,
  ): Promise<string | undefined> {
    const path = this.#path(file);
    await makeDirectories(this.#files, dirname(path));
    const keptAs = source === file ? await copyAside(this.#files, path) : undefined;
    await replaceFile(this.#files, path, bytesOf(lines), async (temporary) => {
      const name = relative(this.#directory, temporary);
      const copy = await scanSegmentFile(this.#files, this.#directory, name, start);
      if (copy.sha256 === sha256) return;
      throw new RepricerError('STORAGE_FAILED', `${file} reads differently after it was mended`);
    });
    return keptAs;
  }

  #note(
    file: string,
    restored: readonly SeqRange[],
    sum: Mending['sum'],
    keptAs: string | undefined,
  ): void {
    const kept = keptAs === undefined ? undefined : relative(this.#directory, keptAs);
    this.mended.push({ file, restored, sum, keptAs: kept });
  }

  #path(file: string): string {
    return join(this.#directory, file);
  }
}

/** The name of a segment of which nothing is left: that of an open one, which the next start seals. */
function nameOf({ firstSeq }: NeededSegment, { lines }: ProductCopies): string {
  const first = decodeRecord(lines.get(firstSeq) ?? Buffer.alloc(0));
  if (first instanceof BadRecord) return 'results';
  return `${segmentFile(firstSeq, first.timestamp)}${openSuffix}`;
}

function inGroups(faulty: readonly FaultySegment[]): readonly (readonly FaultySegment[])[] {
  const groups: FaultySegment[][] = [];
  let records = Number.POSITIVE_INFINITY;
  for (const one of faulty) {
    const count = Number.isFinite(one.wanted.count) ? one.wanted.count : 0;
    records += count;
    if (records > groupRecordsMax) {
      groups.push([]);
      records = count;
    }
    groups.at(-1)?.push(one);
  }
  return groups;
}

async function* bytesOf(blocks: AsyncIterable<readonly Line[]>): AsyncGenerator<Buffer> {
  for await (const lines of blocks) {
    yield Buffer.concat(lines.flatMap(({ bytes }) => [bytes, newline]));
  }
}

const newline = Buffer.from('\n');
