import { exitCode } from '../exit-code.ts';
import { DirectoryLock } from '../files/directory-lock.ts';
import type { FileSystem } from '../files/file-system.ts';
import { formatTimestamp } from '../model/timestamp.ts';
import { describeDamage } from '../storage/damage.ts';
import { type VerifyReport, verifyStore } from '../storage/verify.ts';
import type { CommandReport } from './command-report.ts';
import { refuseMissingDirectory } from './refuse-missing-directory.ts';

/** Reads everything in a data directory and tells what it found, with code 0 when all is well and 65 when not. */
export async function verify(files: FileSystem, directory: string): Promise<CommandReport> {
  await refuseMissingDirectory(files, directory);
  const lock = await DirectoryLock.acquireIfPresent(files, directory);
  try {
    const report = await verifyStore(files, directory);
    const code = report.damageCount === 0 ? exitCode.ok : exitCode.damaged;
    return { code, lines: describeReport(directory, report) };
  } finally {
    await lock?.release();
  }
}

export function describeReport(directory: string, report: VerifyReport): readonly string[] {
  const { records, products, segments, journalBytes, lastTimestamp, checkpointSeq } = report;
  const hidden = report.damageCount - report.damages.length;
  return [
    `data directory  ${directory}`,
    `journal         ${records} records in ${segments} segments, ${journalBytes} bytes`,
    `last record     ${lastTimestamp === undefined ? 'none' : formatTimestamp(lastTimestamp)}`,
    `product files   ${products}`,
    `checkpoint      ${checkpointSeq === undefined ? 'none' : `seq ${checkpointSeq}`}`,
    ...report.notes.map((note) => `note            ${note}`),
    ...report.damages.map((damage) => `DAMAGE          ${describeDamage(damage)}`),
    ...(hidden > 0 ? [`DAMAGE          and ${hidden} more`] : []),
    report.damageCount === 0
      ? 'All is well: every line, sum and chain was checked.'
      : `${report.damageCount} damaged. Nothing was changed: "repricer repair" says what can be mended.`,
  ];
}
