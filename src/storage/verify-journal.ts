import { crc32 } from 'node:zlib';
import type { FileSystem } from '../files/file-system.ts';
import type { Line } from '../files/lines.ts';
import type { PriceRecord } from '../model/price-record.ts';
import type { Timestamp } from '../model/timestamp.ts';
import type { Findings } from './findings.ts';
import { toSegment } from './inspect-journal.ts';
import type { LineSums } from './line-sums.ts';
import {
  type ManifestContent,
  manifestFile,
  readGoodLines,
  type SealedSegment,
} from './manifest.ts';
import { listSegments, type SegmentNames } from './segment-names.ts';
import { type SegmentScan, scanSegmentFile } from './segment-scan.ts';

/** What the journal holds, as far as it could be read. */
export interface JournalSummary {
  readonly segments: number;
  readonly records: number;
  readonly bytes: number;
  readonly lastSeq: number;
  readonly lastTimestamp: Timestamp | undefined;
  /** The files of all segments, in order. */
  readonly files: readonly { readonly file: string; readonly firstSeq: number }[];
  /** The sealed segments that hold records, as they are. */
  readonly sealed: readonly SealedSegment[];
  /** What the manifest lists, as far as it can be read. */
  readonly listed: readonly SealedSegment[];
}

/** Reads every segment and the manifest, reports every fault, and puts every good line into `sums`. */
export async function verifyJournal(
  files: FileSystem,
  directory: string,
  findings: Findings,
  sums: LineSums,
): Promise<JournalSummary> {
  const check = new JournalCheck(files, directory, findings, sums);
  const manifest = await readGoodLines(files, directory);
  check.judgeManifest(manifest);
  const names = await listSegments(files, directory);
  for (const name of names.leftovers) findings.note(`${name}: left by an interrupted replacement`);
  for (const { file, firstSeq } of names.duplicates) {
    findings.damage(file, 0, firstSeq, 'there are two segments that begin with this seq');
  }
  for (const segment of inOrder(names)) await check.readSegment(segment);
  check.compareWithManifest(manifest);
  return { ...check.summary(), listed: manifest.segments };
}

interface NamedSegment {
  readonly file: string;
  readonly firstSeq: number;
  readonly isOpen: boolean;
}

function inOrder({ sealed, open }: SegmentNames): readonly NamedSegment[] {
  return [
    ...[...sealed].map(([firstSeq, file]) => ({ file, firstSeq, isOpen: false })),
    ...open.map((segment) => ({ ...segment, isOpen: true })),
  ].sort((a, b) => a.firstSeq - b.firstSeq || Number(a.isOpen) - Number(b.isOpen));
}

class JournalCheck {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #findings: Findings;
  readonly #sums: LineSums;
  readonly #sealed = new Map<string, SegmentScan & { readonly size: number }>();
  readonly #segments: NamedSegment[] = [];
  #records = 0;
  #bytes = 0;
  #lastSeq = 0;
  #lastTimestamp: Timestamp | undefined;

  constructor(files: FileSystem, directory: string, findings: Findings, sums: LineSums) {
    this.#files = files;
    this.#directory = directory;
    this.#findings = findings;
    this.#sums = sums;
  }

  judgeManifest({ damage, tornBytes }: ManifestContent): void {
    if (damage !== undefined) {
      this.#findings.damage(damage.file, damage.offset, damage.seq, damage.problem);
    } else if (tornBytes > 0) {
      this.#findings.note(`${manifestFile}: its last line is torn; the next start writes it again`);
    }
  }

  async readSegment(segment: NamedSegment): Promise<void> {
    const { file, firstSeq, isOpen } = segment;
    if (firstSeq !== this.#lastSeq + 1) {
      const problem = `the segments before it end with seq ${this.#lastSeq}`;
      this.#findings.damage(file, 0, firstSeq, problem);
    }
    const after = this.#lastTimestamp;
    const take = (record: PriceRecord, line: Line) => this.#take(record, line);
    const start = { firstSeq, after };
    const scan = await scanSegmentFile(this.#files, this.#directory, file, start, take);
    this.#sums.forgetPast(scan.lastSeq);
    if (isOpen) this.#judgeOpen(file, scan);
    else this.#judgeSealed(file, scan);
    this.#segments.push(segment);
    this.#records += scan.rows;
    this.#bytes += scan.size;
    this.#lastSeq = scan.lastSeq;
    this.#lastTimestamp = scan.lastTimestamp ?? after;
  }

  compareWithManifest({ segments, damage }: ManifestContent): void {
    const unlisted = new Map(this.#sealed);
    let lastSeq = 0;
    for (const segment of segments) {
      if (segment.firstSeq !== lastSeq + 1) {
        const problem = `the manifest lists ${segment.file} behind seq ${lastSeq}`;
        this.#findings.damage(manifestFile, 0, segment.firstSeq, problem);
      }
      ({ lastSeq } = segment);
      const scan = this.#sealed.get(segment.file);
      unlisted.delete(segment.file);
      const problem = scan === undefined ? 'the sealed segment is missing' : differs(segment, scan);
      if (problem !== undefined) this.#findings.damage(segment.file, 0, segment.firstSeq, problem);
    }
    for (const [file] of damage === undefined ? unlisted : []) {
      this.#findings.note(`${file}: not in the manifest yet; the next start lists it`);
    }
  }

  summary(): Omit<JournalSummary, 'listed'> {
    return {
      segments: this.#segments.length,
      records: this.#records,
      bytes: this.#bytes,
      lastSeq: this.#lastSeq,
      lastTimestamp: this.#lastTimestamp,
      files: this.#segments,
      sealed: this.#segments.flatMap(({ file, firstSeq }) => {
        const scan = this.#sealed.get(file);
        return scan === undefined ? [] : (toSegment(file, firstSeq, scan) ?? []);
      }),
    };
  }

  #take(record: PriceRecord, line: Line): void {
    this.#sums.add(record.seq, crc32(line.bytes));
  }

  #judgeSealed(file: string, scan: SegmentScan & { readonly size: number }): void {
    this.#sealed.set(file, scan);
    if (scan.fault === undefined) return;
    this.#findings.damage(file, scan.fault.offset, scan.fault.seq, scan.fault.problem);
  }

  #judgeOpen(file: string, scan: SegmentScan & { readonly size: number }): void {
    this.#findings.note(
      `${file}: not sealed; the last stop was not clean, the next start seals it`,
    );
    const { fault, otherBatch } = scan;
    if (fault === undefined) return;
    if (otherBatch === undefined) {
      const torn = scan.size - scan.bytes;
      this.#findings.note(
        `${file}: a torn tail of ${torn} bytes at offset ${scan.bytes}; the next start cuts it`,
      );
    } else {
      const problem = `${fault.problem}, but a good record of another batch (seq ${otherBatch.seq}, offset ${otherBatch.offset}) follows`;
      this.#findings.damage(file, fault.offset, fault.seq, problem);
    }
  }
}

/** What the manifest's line says otherwise than the file; undefined when they agree. */
function differs(
  listed: SealedSegment,
  scan: SegmentScan & { readonly size: number },
): string | undefined {
  if (scan.size !== listed.bytes) {
    return `it has ${scan.size} bytes, and ${listed.bytes} when it was sealed`;
  }
  if (scan.sha256 !== listed.sha256) return 'its sum is not the one that the manifest gives';
  const isSame =
    scan.rows === listed.rows &&
    scan.lastSeq === listed.lastSeq &&
    scan.firstTimestamp === listed.firstTimestamp &&
    scan.lastTimestamp === listed.lastTimestamp &&
    (listed.keyedRows === undefined || scan.keyedRows === listed.keyedRows);
  return isSame ? undefined : 'the manifest gives other rows, keys, seqs or timestamps than it has';
}
