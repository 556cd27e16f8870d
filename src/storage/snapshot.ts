import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { filePart } from '../files/file-part.ts';
import type { FileSystem } from '../files/file-system.ts';
import { formatTimestamp } from '../model/timestamp.ts';
import { decodeCheckedLine, encodeCheckedLine } from './checked-line.ts';
import { inspectJournal } from './inspect-journal.ts';
import { manifestFile, type SealedSegment } from './manifest.ts';
import { isSegmentFile } from './segment-file.ts';

/** The first bytes of a file. */
export interface FilePrefix {
  /** Path within the data directory. Until the segment is sealed, the file's own name ends with `.open`. */
  readonly file: string;
  readonly bytes: number;
  /** Of these bytes, in lower-case hex digits. */
  readonly sha256: string;
}

/**
 * A consistent cut through a store: these prefixes of files alone are a store that is whole, up to `seq`.
 *
 * Invariant: it stays good whatever is written after it. The files of the journal only grow, a sealed
 * segment never changes, and sealing changes nothing but a name.
 *
 * It has every segment and what the manifest says of those that it lists. Product files and the
 * checkpoint are not in it: they are made from the journal, change in place, and have every record again.
 */
export interface Snapshot {
  /** That of the last record; 0 when there is none. */
  readonly seq: number;
  /** The last record's, in RFC 3339; null when there is none. */
  readonly timestamp: string | null;
  /** The manifest, when it lists anything, and the segments from the newest to the oldest. */
  readonly files: readonly FilePrefix[];
}

/** What a journal is at one moment. */
export interface JournalCut {
  /** All segments with records, in order; the last one may still be written. */
  readonly segments: readonly SealedSegment[];
  /** What the manifest says of the first of them. */
  readonly manifestBytes: number;
}

export async function snapshotOf(
  files: FileSystem,
  directory: string,
  { segments, manifestBytes }: JournalCut,
): Promise<Snapshot> {
  const last = segments.at(-1);
  const prefixes = segments.map(({ file, bytes, sha256 }) => ({ file, bytes, sha256 }));
  if (manifestBytes > 0) prefixes.push(await manifestPrefix(files, directory, manifestBytes));
  return {
    seq: last?.lastSeq ?? 0,
    timestamp: last === undefined ? null : formatTimestamp(last.lastTimestamp),
    files: prefixes.reverse(),
  };
}

/**
 * The snapshot of a directory that no process writes to, as the next start would find it. Throws
 * `JOURNAL_DAMAGED` when that would refuse it. Changes nothing.
 */
export async function snapshotAtRest(files: FileSystem, directory: string): Promise<Snapshot> {
  const { listed, unlisted, open, manifestBytes } = await inspectJournal(files, directory);
  const segments = [...listed, ...unlisted, ...(open?.whole === undefined ? [] : [open.whole])];
  return snapshotOf(files, directory, { segments, manifestBytes });
}

async function manifestPrefix(
  files: FileSystem,
  directory: string,
  bytes: number,
): Promise<FilePrefix> {
  const hash = createHash('sha256');
  for await (const piece of filePart(files, join(directory, manifestFile), 0, bytes)) {
    hash.update(piece);
  }
  return { file: manifestFile, bytes, sha256: hash.digest('hex') };
}

/** A line of JSON with a checksum: `{"seq":8001,"timestamp":"…","files":[…],"crc":"9ae3c210"}`. */
export function encodeSnapshot({ seq, timestamp, files }: Snapshot): string {
  const shown = files.map(({ file, bytes, sha256 }) => ({ file, bytes, sha256 }));
  return encodeCheckedLine(JSON.stringify({ seq, timestamp, files: shown }).slice(0, -1));
}

/** Undefined for what is not, to the byte, what `encodeSnapshot` gave. */
export function decodeSnapshot(line: Buffer): Snapshot | undefined {
  const fields = line.at(-1) === newline ? decodeCheckedLine(line.subarray(0, -1)) : undefined;
  const value = fields === undefined ? undefined : parseJson(`${fields}}`);
  return isSnapshot(value) ? value : undefined;
}

const newline = 0x0a;

/** Undefined for what is no JSON: the checksum shows that nothing is broken, not who wrote it. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isSnapshot(value: unknown): value is Snapshot {
  return (
    isObject(value) &&
    isCount(value['seq']) &&
    (value['timestamp'] === null || typeof value['timestamp'] === 'string') &&
    Array.isArray(value['files']) &&
    value['files'].every(isFilePrefix)
  );
}

/** The path is one of the store's own, as it tells where to read and where to write. */
function isFilePrefix(value: unknown): value is FilePrefix {
  return (
    isObject(value) &&
    typeof value['file'] === 'string' &&
    (value['file'] === manifestFile || isSegmentFile(value['file'])) &&
    isCount(value['bytes']) &&
    typeof value['sha256'] === 'string' &&
    /^[0-9a-f]{64}$/.test(value['sha256'])
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
