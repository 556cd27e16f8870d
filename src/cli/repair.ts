import { exitCode } from '../exit-code.ts';
import { DirectoryLock } from '../files/directory-lock.ts';
import type { FileSystem } from '../files/file-system.ts';
import { describeDamage } from '../storage/damage.ts';
import type { Mending } from '../storage/repair-journal.ts';
import { repairStore, type StoreRepair } from '../storage/repair-store.ts';
import type { Loss } from '../storage/segment-loss.ts';
import { describeRange } from '../storage/seq-ranges.ts';
import type { CommandReport } from './command-report.ts';
import { describeRebuild } from './fix-derived.ts';
import { RecoveryLines } from './recovery-lines.ts';
import { refuseMissingDirectory } from './refuse-missing-directory.ts';

/**
 * Tells what a repair would do and, when `isApplied`, does it. The code is 0 when all is well or could
 * be mended, and 65 when something is in no copy.
 */
export async function repair(
  files: FileSystem,
  directory: string,
  isApplied: boolean,
): Promise<CommandReport> {
  await refuseMissingDirectory(files, directory);
  const lock = isApplied
    ? await DirectoryLock.acquire(files, directory)
    : await DirectoryLock.acquireIfPresent(files, directory);
  try {
    const recovery = new RecoveryLines();
    const report = await repairStore(files, directory, isApplied, recovery);
    const isWhole = report.lost.length === 0 && report.derivedProblem === undefined;
    const code = isWhole ? exitCode.ok : exitCode.damaged;
    return { code, lines: [...describeRepair(report, isApplied, recovery.lines)] };
  } finally {
    await lock?.release();
  }
}

function describeRepair(
  { found, mended, lost, derived, derivedProblem }: StoreRepair,
  isApplied: boolean,
  recovered: readonly string[],
): readonly string[] {
  if (found.damageCount === 0)
    return ['All is well: there is nothing to mend. Nothing was changed.'];
  const hidden = found.damageCount - found.damages.length;
  return [
    ...found.damages.map((damage) => `found           ${describeDamage(damage)}`),
    ...(hidden > 0 ? [`found           and ${hidden} more`] : []),
    ...mended.map((mending) => describeMending(mending, isApplied)),
    ...lost.flatMap(describeLoss),
    ...(derived === undefined ? [] : describeRebuild(derived)),
    ...recovered,
    derivedProblem ?? conclusion(lost.length, mended.length, isApplied),
  ];
}

function describeMending(mending: Mending, isApplied: boolean): string {
  const { file, restored, sum, keptAs } = mending;
  const verb = isApplied ? 'mended          ' : 'would mend      ';
  const kept = keptAs === undefined ? '' : `; what was there is kept as ${keptAs}`;
  if (sum === 'superfluous') {
    return `${verb}${file}: the manifest lists another file in its place, so it is put aside${kept}`;
  }
  if (sum === 'twin') {
    return `${verb}${file}: another segment holds the same bytes, so it is put aside${kept}`;
  }
  const source =
    restored.length === 0
      ? 'its own good lines are enough'
      : `${restored.map(describeRange).join(', ')} from product files`;
  const proof =
    sum === 'as sealed'
      ? 'the same to the byte as when it was sealed, by its sha256 in the manifest'
      : 'the manifest has no sum of it to compare with';
  return `${verb}${file}: ${source}; ${proof}${kept}`;
}

function describeLoss({ file, offset, seqs, problem, suspects }: Loss): readonly string[] {
  return [
    `LOST            ${file}, offset ${offset}, ${seqs.map(describeRange).join(', ')}: ${problem}`,
    ...suspects.map(
      (line) =>
        `                perhaps the line at ${line.file}, offset ${line.offset}, which cannot be read either`,
    ),
  ];
}

function conclusion(lost: number, mended: number, isApplied: boolean): string {
  if (lost > 0) {
    const changed =
      isApplied && mended > 0 ? 'Only the files named above were changed.' : 'Nothing was changed.';
    return `${lost} cannot be mended from the files that are here: restore them from a backup. ${changed}`;
  }
  return isApplied
    ? 'Everything is mended: the journal is whole, and all else was made from it.'
    : 'All of it can be mended, and what is made from the journal would be made anew. Nothing was changed: "repricer repair --apply" does it.';
}
