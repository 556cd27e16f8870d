import assert from 'node:assert';
import type { OpenFile } from './file-system.ts';

/**
 * Writes all of `bytes` at `position`. A kernel that has no room for the whole may take a part of it
 * without an error, so what is left is written again until it is taken or refused.
 */
export async function writeFully(file: OpenFile, bytes: Buffer, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const count = await file.write(bytes.subarray(written), position + written);
    assert(count > 0, 'a write of at least one byte took none');
    written += count;
  }
}
