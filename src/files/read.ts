import { errnoOf } from '../errors.ts';
import type { OpenFile } from './file-system.ts';

/** The bytes from `position` up to `position + length`, or up to the end of the file when that comes first. */
export async function readFully(file: OpenFile, position: number, length: number): Promise<Buffer> {
  const target = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const count = await readSome(file, target.subarray(filled), position + filled);
    if (count === 0) break;
    filled += count;
  }
  return target.subarray(0, filled);
}

/** Reads again when a signal got in between: Node does so for every call on files but this one. */
async function readSome(file: OpenFile, target: Buffer, position: number): Promise<number> {
  for (;;) {
    try {
      return await file.read(target, position);
    } catch (error) {
      if (errnoOf(error) !== 'EINTR') throw error;
    }
  }
}
