import { join } from 'node:path';
import { type FileSystem, isMissing } from '../files/file-system.ts';
import { readFully } from '../files/read.ts';
import { replaceFile } from '../files/replace-file.ts';
import { decodeCheckedLine, encodeCheckedLine } from './checked-line.ts';

/**
 * The checkpoint file: `{"seq":8001,"products":120,"crc":"9ae3c210"}`. Every record up to `seq` is in
 * its product file, and on disk; up to there are so many products. It can be made anew from the
 * journal, so a damaged one is as good as none.
 */
export const checkpointFile = 'checkpoint.json';

/** Up to `seq` all records, of so many products, are in product files. */
export interface Aggregated {
  readonly seq: number;
  readonly products: number;
}

export interface Checkpoint extends Aggregated {
  /** When the file was last changed: what changed later was not known to be good when it was written. */
  readonly changedAtNs: bigint;
  readonly modifiedAtNs: bigint;
}

/** The checkpoint on disk; undefined when it is missing, `'damaged'` when it cannot be believed. */
export async function readCheckpoint(
  files: FileSystem,
  directory: string,
): Promise<Checkpoint | 'damaged' | undefined> {
  const path = join(directory, checkpointFile);
  try {
    const file = await files.open(path, 'read');
    try {
      const { bytes, changedAtNs, modifiedAtNs } = await file.stat();
      const content = await readFully(file, 0, Math.min(bytes, 256));
      const counts = decodeCheckpoint(content);
      return counts === undefined ? 'damaged' : { ...counts, changedAtNs, modifiedAtNs };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Replaces the checkpoint; it is on disk when this resolves. */
export async function writeCheckpoint(
  files: FileSystem,
  directory: string,
  { seq, products }: Aggregated,
): Promise<void> {
  const line = encodeCheckedLine(`{"seq":${seq},"products":${products}`);
  await replaceFile(files, join(directory, checkpointFile), [Buffer.from(line)]);
}

function decodeCheckpoint(content: Buffer): Aggregated | undefined {
  if (content.at(-1) !== 0x0a) return undefined;
  const fields = decodeCheckedLine(content.subarray(0, -1)) ?? '';
  const match = /^\{"seq":(\d{1,15}),"products":(\d{1,15})$/.exec(fields);
  return match === null ? undefined : { seq: Number(match[1]), products: Number(match[2]) };
}
