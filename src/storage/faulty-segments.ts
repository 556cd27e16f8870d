import type { FileSystem } from '../files/file-system.ts';
import type { Timestamp } from '../model/timestamp.ts';
import { inspectOwnLines, type OwnLines } from './repair-lines.ts';
import type { NeededSegment } from './repair-plan.ts';
import { openSuffix } from './segment-file.ts';
import { type SegmentScan, type SegmentStart, scanSegmentFile } from './segment-scan.ts';
import { SeqRanges } from './seq-ranges.ts';

/** A segment that is not what it must be, or that may go on. */
export interface FaultySegment {
  readonly segment: NeededSegment;
  readonly start: SegmentStart;
  /** What has to come from product files. */
  readonly wanted: SeqRanges;
  /** Up to here its file is what a start would take; below its first seq when nothing of it is. */
  readonly goodSeq: number;
  /** The last seq that it must have had, as far as its own file and its name tell. */
  readonly knownSeq: number;
}

/** Reads the segments, which follow one another, and gives those that have to be mended or may go on. */
export async function findFaultySegments(
  files: FileSystem,
  directory: string,
  segments: readonly NeededSegment[],
): Promise<readonly FaultySegment[]> {
  const faulty: FaultySegment[] = [];
  let after: Timestamp | undefined;
  for (const segment of segments) {
    const { source, firstSeq, lastSeq } = segment;
    const start = { firstSeq, after };
    const scan =
      source === undefined ? undefined : await scanSegmentFile(files, directory, source, start);
    after = segment.listed?.lastTimestamp ?? scan?.lastTimestamp ?? after;
    const isGood = isAsNeeded(segment, scan);
    if (isGood && lastSeq < Number.POSITIVE_INFINITY) continue;
    const own = await inspectOwnLines(files, directory, segment);
    const goodSeq = isGood ? (scan?.lastSeq ?? firstSeq - 1) : firstSeq - 1;
    const knownSeq = Math.max(own.durableSeq, sealedSeq(segment, scan));
    faulty.push({ segment, start, wanted: wantedOf(segment, own), goodSeq, knownSeq });
  }
  return faulty;
}

function isAsNeeded(
  { listed, file, source, lastSeq }: NeededSegment,
  scan: SegmentScan | undefined,
): boolean {
  if (scan === undefined || file === undefined) return lastSeq === Number.POSITIVE_INFINITY;
  if (source !== file) return false;
  if (listed !== undefined) return scan.fault === undefined && scan.sha256 === listed.sha256;
  const isTornTail = file.endsWith(openSuffix) && scan.otherBatch === undefined;
  if (lastSeq === Number.POSITIVE_INFINITY) {
    return isTornTail || (scan.fault === undefined && scan.rows > 0);
  }
  return scan.fault === undefined && scan.lastSeq === lastSeq;
}

/** A sealed segment was whole once, so a line that cannot be read was a record; 0 for what was never sealed. */
function sealedSeq({ file, firstSeq }: NeededSegment, scan: SegmentScan | undefined): number {
  if (file === undefined || file.endsWith(openSuffix)) return 0;
  return scan?.fault?.seq ?? firstSeq;
}

/** What is missing; all of it when each line is good in itself and yet not what was sealed. */
function wantedOf({ listed, firstSeq, lastSeq }: NeededSegment, own: OwnLines): SeqRanges {
  if (!own.missing.isEmpty || listed === undefined || own.sha256 === listed.sha256) {
    return own.missing;
  }
  const all = new SeqRanges();
  all.add(firstSeq, lastSeq);
  return all;
}
