import type { SealedSegment } from './manifest.ts';
import type { SegmentNames } from './segment-names.ts';

/** A segment that the journal must have, whether it is there or not. */
export interface NeededSegment {
  /** Where it has to stand within the data directory; undefined when neither a name nor the manifest tells. */
  readonly file: string | undefined;
  /** The file with its lines; undefined when there is none. */
  readonly source: string | undefined;
  readonly firstSeq: number;
  /** Infinity when nothing tells where the journal ends. */
  readonly lastSeq: number;
  /** What the manifest says of it. */
  readonly listed: SealedSegment | undefined;
}

export interface RepairPlan {
  /** In order, and together they cover every seq from 1 on. */
  readonly segments: readonly NeededSegment[];
  /** Files whose place a listed segment has. */
  readonly superfluous: readonly string[];
  /** Files that claim the same seqs, of which the manifest lists none. */
  readonly rivals: readonly NamedFile[];
}

interface NamedFile {
  readonly file: string;
  readonly firstSeq: number;
}

/** Which segments there must be, as the manifest's good lines and the names of the files tell. */
export function planRepair(listed: readonly SealedSegment[], names: SegmentNames): RepairPlan {
  const sealed = [...names.sealed].map(([firstSeq, file]) => ({ file, firstSeq }));
  const all = [...sealed, ...names.duplicates, ...names.open];
  const listedFiles = new Set(listed.map(({ file }) => file));
  const unlisted = all.filter(({ file }) => !listedFiles.has(file));
  const isCovered = ({ firstSeq: seq }: NamedFile) =>
    listed.some(({ firstSeq, lastSeq }) => firstSeq <= seq && seq <= lastSeq);
  const byFirstSeq = new Map<number, NeededSegment>();
  for (const segment of listed) {
    const { file, firstSeq, lastSeq } = segment;
    const source = all.find((one) => one.file === file) ?? unlisted.find(isAt(firstSeq));
    byFirstSeq.set(firstSeq, { file, source: source?.file, firstSeq, lastSeq, listed: segment });
  }
  const rivals: NamedFile[] = [];
  for (const { file, firstSeq } of unlisted.filter((one) => !isCovered(one))) {
    if (byFirstSeq.has(firstSeq)) rivals.push({ file, firstSeq });
    else {
      const lastSeq = Number.POSITIVE_INFINITY;
      byFirstSeq.set(firstSeq, { file, source: file, firstSeq, lastSeq, listed: undefined });
    }
  }
  const superfluous = unlisted.filter(isCovered).map(({ file }) => file);
  return { segments: withoutGaps([...byFirstSeq.values()]), superfluous, rivals };
}

function isAt(seq: number): (file: NamedFile) => boolean {
  return ({ firstSeq }) => firstSeq === seq;
}

/** A segment that is not listed goes on to the next one; what no segment covers gets one of its own. */
function withoutGaps(segments: readonly NeededSegment[]): readonly NeededSegment[] {
  const ordered = segments.toSorted((a, b) => a.firstSeq - b.firstSeq);
  const covered: NeededSegment[] = [];
  let nextSeq = 1;
  ordered.forEach((segment, index) => {
    if (segment.firstSeq > nextSeq) covered.push(unnamed(nextSeq, segment.firstSeq - 1));
    const end = (ordered[index + 1]?.firstSeq ?? Number.POSITIVE_INFINITY) - 1;
    const lastSeq = segment.listed === undefined ? end : segment.lastSeq;
    covered.push({ ...segment, lastSeq });
    nextSeq = lastSeq + 1;
  });
  if (nextSeq < Number.POSITIVE_INFINITY) covered.push(unnamed(nextSeq, Number.POSITIVE_INFINITY));
  return covered;
}

function unnamed(firstSeq: number, lastSeq: number): NeededSegment {
  return { file: undefined, source: undefined, firstSeq, lastSeq, listed: undefined };
}
