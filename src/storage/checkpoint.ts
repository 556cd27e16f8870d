import { join } from 'node:path';
import { type FileSystem, isMissing } from '../files/file-system.ts';
import { readFully } from '../files/read.ts';
import { replaceFile } from '../files/replace-file.ts';
import { decodeCheckedLine, encodeCheckedLine } from './checked-line.ts';

/**
 * The checkpoint file: `{"seq":8001,"crc":"9ae3c210"}`. Every record up to `seq` is in its product
 * file, and on disk. It can be made anew from the journal, so a damaged one is as good as none.
 */
export const checkpointFile = 'checkpoint.json';

export interface Checkpoint {
  readonly seq: number;
  /** When the file was last changed: what changed later was not known to be good when it was written. */
  readonly changedAtNs: bigint;
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
      const { bytes, changedAtNs } = await file.stat();
      const content = await readFully(file, 0, Math.min(bytes, 256));
      const seq = decodeCheckpoint(content);
      return seq === undefined ? 'damaged' : { seq, changedAtNs };
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
  seq: number,
): Promise<void> {
  const line = encodeCheckedLine(`{"seq":${seq}`);
  await replaceFile(files, join(directory, checkpointFile), [Buffer.from(line)]);
}

function decodeCheckpoint(content: Buffer): number | undefined {
  if (content.at(-1) !== 0x0a) return undefined;
  const match = /^\{"seq":(\d{1,15})$/.exec(decodeCheckedLine(content.subarray(0, -1)) ?? '');
  return match === null ? undefined : Number(match[1]);
}
