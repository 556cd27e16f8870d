import { exitCode } from '../exit-code.ts';
import { DirectoryLock } from '../files/directory-lock.ts';
import type { FileSystem } from '../files/file-system.ts';
import { type DerivedRebuild, rebuildDerived } from '../storage/rebuild-derived.ts';
import type { CommandReport } from './command-report.ts';
import { RecoveryLines } from './recovery-lines.ts';
import { refuseMissingDirectory } from './refuse-missing-directory.ts';

/** Makes manifest, product files and checkpoint from the journal, and tells what was put aside for that. */
export async function fixDerived(files: FileSystem, directory: string): Promise<CommandReport> {
  await refuseMissingDirectory(files, directory);
  const lock = await DirectoryLock.acquire(files, directory);
  try {
    const recovery = new RecoveryLines();
    const rebuild = await rebuildDerived(files, directory, recovery);
    const lines = [...describeRebuild(rebuild), ...recovery.lines];
    return {
      code: exitCode.ok,
      lines: [...lines, 'The journal is whole, and everything else was made from it.'],
    };
  } finally {
    await lock.release();
  }
}

export function describeRebuild(rebuild: DerivedRebuild): readonly string[] {
  const { isManifestRewritten, setAside, setAsideCount } = rebuild;
  const hidden = setAsideCount - setAside.length;
  return [
    ...(isManifestRewritten ? ['made anew       manifest.ndjson'] : []),
    ...setAside.map((file) => `put aside       ${file}, as .broken`),
    ...(hidden > 0 ? [`put aside       and ${hidden} more`] : []),
  ];
}
