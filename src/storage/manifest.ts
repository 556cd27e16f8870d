import { dirname, join } from 'node:path';
import type { FileSystem, OpenFile } from '../files/file-system.ts';
import { isMissing } from '../files/file-system.ts';
import { readLines } from '../files/lines.ts';
import { openOrCreate } from '../files/open-or-create.ts';
import { replaceFile } from '../files/replace-file.ts';
import { writeFully } from '../files/write.ts';
import { formatTimestamp, parseTimestamp, type Timestamp } from '../model/timestamp.ts';
import { decodeCheckedLine, encodeCheckedLine } from './checked-line.ts';
import { type Damage, journalDamaged } from './damage.ts';

/** What is known of a sealed segment. It never changes again. */
export interface SealedSegment {
  /** Path within the data directory. */
  readonly file: string;
  readonly rows: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly firstTimestamp: Timestamp;
  readonly lastTimestamp: Timestamp;
  readonly bytes: number;
  /** Of the file's bytes, in lower-case hex digits. */
  readonly sha256: string;
  /** How many of its records have an idempotency key; undefined in lines of the first version, which knew none. */
  readonly keyedRows?: number;
}

/** What the manifest file holds. */
export interface ManifestContent {
  readonly segments: readonly SealedSegment[];
  /** Bytes of good lines; what follows them in the file is a torn last line. */
  readonly bytes: number;
  /** Bytes of a torn last line: 0 when there is none. */
  readonly tornBytes: number;
  /** The first bad line that is not the last one. */
  readonly damage: Damage | undefined;
}

export const manifestFile = 'manifest.ndjson';
const lineBytesMax = 1024;
const empty: ManifestContent = { segments: [], bytes: 0, tornBytes: 0, damage: undefined };

/**
 * Reads the manifest: a line for each sealed segment, in order. A last line that is not whole is what
 * a crash during an append leaves, and is reported for cutting, as the segment itself says it again.
 * Any other bad line throws `JOURNAL_DAMAGED`.
 */
export async function readManifest(files: FileSystem, directory: string): Promise<ManifestContent> {
  const manifest = await readGoodLines(files, directory);
  if (manifest.damage !== undefined) throw journalDamaged('manifest-bad-line', manifest.damage);
  return manifest;
}

/** The same, whatever the manifest holds: lines that are bad are left out. */
export async function readGoodLines(
  files: FileSystem,
  directory: string,
): Promise<ManifestContent> {
  let file: OpenFile;
  try {
    file = await files.open(join(directory, manifestFile), 'read');
  } catch (error) {
    if (isMissing(error)) return empty;
    throw error;
  }
  try {
    return await readContent(file, (await file.stat()).bytes);
  } finally {
    await file.close();
  }
}

async function readContent(file: OpenFile, size: number): Promise<ManifestContent> {
  const segments: SealedSegment[] = [];
  let bytes = 0;
  let bad: number | undefined;
  let damage: Damage | undefined;
  for await (const lines of readLines(file, 0, size, lineBytesMax)) {
    for (const line of lines) {
      if (bad !== undefined) damage ??= damageAt(bad, segments);
      const segment = line.isWhole ? decodeSegment(line.bytes) : undefined;
      if (segment === undefined) bad ??= line.offset;
      else {
        segments.push(segment);
        bytes = line.offset + line.bytes.length + 1;
      }
    }
  }
  return { segments, bytes, tornBytes: size - bytes, damage };
}

function damageAt(offset: number, before: readonly SealedSegment[]): Damage {
  const seq = (before.at(-1)?.lastSeq ?? 0) + 1;
  const problem = 'a line of the manifest is damaged, and it is not the last one';
  return { file: manifestFile, offset, seq, problem };
}

/**
 * Adds a line for a sealed segment after the first `position` bytes of the manifest and returns the
 * new length. The line is on disk when this resolves. What an earlier failure left there is overwritten.
 */
export async function appendToManifest(
  files: FileSystem,
  directory: string,
  position: number,
  segment: SealedSegment,
): Promise<number> {
  const path = join(directory, manifestFile);
  const bytes = Buffer.from(encodeSegment(segment));
  const { file, isNew } = await openOrCreate(files, path);
  try {
    await file.truncate(position);
    await writeFully(file, bytes, position);
    await file.datasync();
  } finally {
    await file.close();
  }
  if (isNew) await files.syncDirectory(dirname(path));
  return position + bytes.length;
}

/** Puts a manifest that lists these segments in the place of the one there. */
export async function replaceManifest(
  files: FileSystem,
  directory: string,
  segments: readonly SealedSegment[],
): Promise<void> {
  const lines = segments.map((segment) => Buffer.from(encodeSegment(segment)));
  await replaceFile(files, join(directory, manifestFile), lines);
}

function encodeSegment(segment: SealedSegment): string {
  const { file, rows, firstSeq, lastSeq, bytes, sha256, keyedRows } = segment;
  const firstTimestamp = formatTimestamp(segment.firstTimestamp);
  const lastTimestamp = formatTimestamp(segment.lastTimestamp);
  const range = { firstSeq, lastSeq, firstTimestamp, lastTimestamp };
  const fields = { file, rows, ...range, bytes, sha256, keyedRows };
  return encodeCheckedLine(JSON.stringify(fields).slice(0, -1));
}

const form =
  /^\{"file":"(results\/date=\d{4}-\d\d-\d\d\/\d{20}\.ndjson)","rows":(\d+),"firstSeq":(\d+),"lastSeq":(\d+),"firstTimestamp":"([^"]+)","lastTimestamp":"([^"]+)","bytes":(\d+),"sha256":"([0-9a-f]{64})"(?:,"keyedRows":(\d+))?$/;

function decodeSegment(line: Buffer): SealedSegment | undefined {
  const match = form.exec(decodeCheckedLine(line) ?? '');
  if (match === null) return undefined;
  const [, file = '', rows, firstSeq, lastSeq, first = '', last = '', bytes, sha256 = ''] = match;
  const keyedRows = match[9];
  const firstTimestamp = parseTimestamp(first);
  const lastTimestamp = parseTimestamp(last);
  if (firstTimestamp === undefined || lastTimestamp === undefined) return undefined;
  return {
    file,
    rows: Number(rows),
    firstSeq: Number(firstSeq),
    lastSeq: Number(lastSeq),
    firstTimestamp,
    lastTimestamp,
    bytes: Number(bytes),
    sha256,
    ...(keyedRows !== undefined && { keyedRows: Number(keyedRows) }),
  };
}
