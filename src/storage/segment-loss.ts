import type { FaultySegment } from './faulty-segments.ts';
import type { ProductCopies, UnreadableLine } from './product-copies.ts';
import type { SegmentScan } from './segment-scan.ts';
import { type SeqRange, SeqRanges } from './seq-ranges.ts';

/** What cannot be mended from the files that are there. */
export interface Loss {
  /** Path within the data directory. */
  readonly file: string;
  /** First byte that cannot be mended, in the file as it would be mended. */
  readonly offset: number;
  /** The seqs that stand in no copy, or that the problem is about. */
  readonly seqs: readonly SeqRange[];
  readonly problem: string;
  /** Product files with an unreadable line that may have been one of these records. */
  readonly suspects: readonly UnreadableLine[];
}

/** Why the merged lines cannot take the segment's place; undefined when they can. */
export function lossOf(
  { segment, wanted, start }: FaultySegment,
  file: string,
  lastSeq: number,
  scan: SegmentScan,
  copies: ProductCopies,
): Loss | undefined {
  const isSum = segment.listed !== undefined && scan.sha256 !== segment.listed.sha256;
  const isTorn = segment.lastSeq === Number.POSITIVE_INFINITY && scan.otherBatch === undefined;
  const isWhole = scan.lastSeq >= lastSeq && (scan.fault === undefined || isTorn);
  if (isWhole && !isSum) return undefined;
  const missing = missingIn(wanted, lastSeq, copies);
  if (missing.isEmpty) {
    const problem =
      scan.fault?.problem ?? 'every line is good, but not the sum that the manifest gives';
    // A batch may go on past the seq before which the next segment begins.
    const seq = scan.fault?.seq ?? start.firstSeq;
    const seqs = [{ first: seq, last: Math.max(seq, lastSeq) }];
    return { file, offset: scan.fault?.offset ?? 0, seqs, problem, suspects: [] };
  }
  return {
    file,
    offset: scan.fault?.offset ?? scan.bytes,
    seqs: missing.ranges,
    problem: 'in no copy: neither in the journal nor in a product file',
    suspects: copies.unreadable.filter(({ between }) =>
      missing.ranges.some(({ first, last }) => first <= between.last && between.first <= last),
    ),
  };
}

function missingIn(wanted: SeqRanges, lastSeq: number, { lines }: ProductCopies): SeqRanges {
  const missing = new SeqRanges();
  const there = [...lines.keys()].sort((a, b) => a - b);
  let index = 0;
  for (const { first, last } of wanted.ranges) {
    const end = Math.min(last, lastSeq);
    let next = first;
    for (; (there[index] ?? Number.POSITIVE_INFINITY) <= end; index += 1) {
      const seq = there[index] ?? end;
      if (seq < next) continue;
      missing.add(next, seq - 1);
      next = seq + 1;
    }
    missing.add(next, end);
  }
  return missing;
}
