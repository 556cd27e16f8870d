import assert from 'node:assert';
import type { FileSystem } from './file-system.ts';
import type { SyncOutcome } from './many-files.ts';

/** Puts a file's data and length on disk. */
export async function syncFile(files: FileSystem, path: string): Promise<SyncOutcome> {
  let wasOpen = false;
  try {
    const file = await files.open(path, 'write');
    wasOpen = true;
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
    return 'done';
  } catch (error) {
    assert(error instanceof Error);
    return { error, wasOpen };
  }
}
