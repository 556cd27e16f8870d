import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** A new, empty directory on the real disk, which is removed with all that is in it when the test ends. */
export async function temporaryDirectory(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'repricer-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
