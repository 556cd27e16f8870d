import { dirname } from 'node:path';
import { removeIfPresent } from './directories.ts';
import type { FileSystem, OpenFile } from './file-system.ts';
import { writeFully } from './write.ts';

/** The ending of a replacement that is still being written; such a file is worth nothing after a crash. */
export const temporarySuffix = '.tmp';

/**
 * Puts new content in the place of a file, or makes it: after a crash at any moment, `path` holds
 * the whole old content or the whole new one. The new one is on disk when this resolves. On any
 * error the old file stays, and the temporary file beside it is removed.
 *
 * `content` gives the new bytes piece by piece, so that a large file need not fit in memory. `check`
 * may look at the new file, whole and synced, and keep the old one by throwing.
 */
export async function replaceFile(
  files: FileSystem,
  path: string,
  content: Iterable<Buffer> | AsyncIterable<Buffer>,
  check: (temporary: string) => Promise<void> = async () => {},
): Promise<void> {
  const temporary = `${path}${temporarySuffix}`;
  await removeIfPresent(files, temporary);
  const file = await files.create(temporary);
  try {
    await fill(file, content);
    await check(temporary);
    await files.rename(temporary, path);
  } catch (error) {
    await removeIfPresent(files, temporary);
    throw error;
  }
  await files.syncDirectory(dirname(path));
}

async function fill(
  file: OpenFile,
  content: Iterable<Buffer> | AsyncIterable<Buffer>,
): Promise<void> {
  try {
    let position = 0;
    for await (const bytes of content) {
      await writeFully(file, bytes, position);
      position += bytes.length;
    }
    await file.datasync();
  } finally {
    await file.close();
  }
}
