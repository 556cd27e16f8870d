import type { StoreState } from '../checker.ts';
import type { StoredFiles } from './stored-files.ts';
import { readRecord, type StoredRecord } from './stored-record.ts';

export interface StoredSegment {
  readonly file: string;
  readonly isOpen: boolean;
  readonly bytes: Buffer;
  /** The records of its whole batches. */
  readonly records: readonly StoredRecord[];
}

export interface StoredJournal {
  readonly segments: readonly StoredSegment[];
  /** The records of all whole batches, in the order of the files. */
  readonly records: readonly StoredRecord[];
  readonly violations: readonly string[];
}

const segmentName = /^results\/date=(\d{4}-\d\d-\d\d)\/(\d{20})\.ndjson(\.open)?$/;

/**
 * Reads the segments and checks what must hold of them alone: seq dense from 1 and without a double
 * (I2), versions and previous prices chained in each product (I3), timestamps rising with seq (I4), and
 * nothing unreadable but, after a crash, the end of the last segment.
 */
export function readJournal(files: StoredFiles, state: StoreState): StoredJournal {
  const segments = segmentsOf(files);
  const violations: string[] = [];
  const read = segments.map((segment, index) => {
    const mayBeTorn = state === 'crashed' && segment.isOpen && index === segments.length - 1;
    return { ...segment, records: recordsOf(segment.file, segment.bytes, mayBeTorn, violations) };
  });
  if (state !== 'crashed') violations.push(...read.filter(isLeftOpen(state)).map(leftOpen));
  const records = read.flatMap((segment) => segment.records);
  for (const segment of read) violations.push(...nameProblems(segment));
  violations.push(...chainProblems(records));
  return { segments: read, records, violations };
}

function segmentsOf(files: StoredFiles): readonly Omit<StoredSegment, 'records'>[] {
  return [...files]
    .flatMap(([file, bytes]) => {
      const match = segmentName.exec(file);
      return match === null
        ? []
        : [{ file, bytes, isOpen: match[3] !== undefined, first: Number(match[2]) }];
    })
    .sort((a, b) => a.first - b.first);
}

/** The records of a segment's whole batches; what follows them is a violation unless it may be torn. */
function recordsOf(
  file: string,
  bytes: Buffer,
  mayBeTorn: boolean,
  violations: string[],
): readonly StoredRecord[] {
  const lines = bytes.toString('utf8').split('\n');
  const rest = lines.pop() ?? '';
  const records = takeWhileRead(lines);
  const whole = records.slice(0, wholeBatches(records));
  const isTorn = rest !== '' || whole.length < lines.length;
  if (isTorn && !mayBeTorn) {
    violations.push(`${file}: line ${whole.length + 1} is not one of a whole batch`);
  }
  return whole;
}

function takeWhileRead(lines: readonly string[]): readonly StoredRecord[] {
  const records: StoredRecord[] = [];
  for (const line of lines) {
    const record = readRecord(line);
    if (record === undefined) break;
    records.push(record);
  }
  return records;
}

/** How many of the records belong to batches that are complete. */
function wholeBatches(records: readonly StoredRecord[]): number {
  let end = 0;
  for (let first = records[end]; first !== undefined; first = records[end]) {
    const batch = records.slice(end, end + first.batchSize);
    const isWhole =
      batch.length === first.batchSize && batch.every(({ batch: name }) => name === first.seq);
    if (!isWhole) break;
    end += first.batchSize;
  }
  return end;
}

function isLeftOpen(state: StoreState): (segment: StoredSegment) => boolean {
  return ({ isOpen }) => isOpen && state === 'stopped';
}

function leftOpen({ file }: StoredSegment): string {
  return `${file}: not sealed after a clean stop`;
}

function nameProblems({ file, records }: StoredSegment): readonly string[] {
  const [first] = records;
  const [, date, seq] = segmentName.exec(file) ?? [];
  if (first === undefined) return [];
  return [
    ...(first.seq === Number(seq) ? [] : [`${file}: its first record has seq ${first.seq}`]),
    ...(first.timestamp.startsWith(date ?? '') ? [] : [`${file}: begins at ${first.timestamp}`]),
  ];
}

function chainProblems(records: readonly StoredRecord[]): readonly string[] {
  const problems: string[] = [];
  const lastOf = new Map<string, StoredRecord>();
  let before: StoredRecord | undefined;
  for (const record of records) {
    const { seq, productId, version, previousPrice, timestamp } = record;
    const last = lastOf.get(productId);
    if (seq !== (before?.seq ?? 0) + 1) problems.push(`seq ${seq} follows ${before?.seq ?? 0}`);
    if (before !== undefined && timestamp <= before.timestamp) {
      problems.push(`seq ${seq}: ${timestamp} is not after ${before.timestamp}`);
    }
    if (version !== (last?.version ?? 0) + 1) {
      problems.push(`seq ${seq}: version ${version} of ${productId} follows ${last?.version ?? 0}`);
    }
    if (previousPrice !== (last?.newPrice ?? null)) {
      problems.push(`seq ${seq}: previousPrice ${previousPrice}, before it ${last?.newPrice}`);
    }
    lastOf.set(productId, record);
    before = record;
  }
  return problems;
}
