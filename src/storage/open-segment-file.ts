import { join } from 'node:path';
import { type FileSystem, isMissing, type OpenFile } from '../files/file-system.ts';
import type { ReadableSegment } from './open-segment.ts';
import { openToRead } from './open-to-read.ts';
import { openSuffix } from './segment-file.ts';

/** Opens a segment that may be sealed at any moment: under its final name, else its open one, else again. */
export async function openSegmentFile(
  files: FileSystem,
  directory: string,
  segment: Pick<ReadableSegment, 'file'>,
): Promise<OpenFile> {
  const path = join(directory, segment.file);
  for (const name of [path, `${path}${openSuffix}`]) {
    try {
      return await openToRead(files, name);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return openToRead(files, path);
}
