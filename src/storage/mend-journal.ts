import { dirname, join, relative } from 'node:path';
import { RepricerError } from '../errors.ts';
import { filePart } from '../files/file-part.ts';
import type { FileSystem } from '../files/file-system.ts';
import { replaceFile } from '../files/replace-file.ts';
import { brokenSuffix } from '../files/set-aside.ts';
import type { JournalFindings, OpenFindings } from './inspect-journal.ts';
import type { JournalStart } from './journal.ts';
import { appendToManifest, type SealedSegment } from './manifest.ts';
import { openSuffix } from './segment-file.ts';
import { scanSegmentFile } from './segment-scan.ts';
import type { RecoveryEvents } from './storage-events.ts';

/**
 * Brings the journal into the state that a clean stop leaves: no open segment, every segment listed.
 * It may be interrupted at any point and run again.
 *
 * The open segment's whole batches are copied to a new file, which is synced and put in its place:
 * what this process can read of the old one may be pages that a failed sync never wrote, and a second
 * sync of the same file would report success for them.
 */
export async function mendJournal(
  files: FileSystem,
  directory: string,
  findings: JournalFindings,
  events: RecoveryEvents,
): Promise<JournalStart> {
  for (const leftover of findings.leftovers) await files.remove(join(directory, leftover));
  const sealed = [...findings.listed];
  let manifestBytes = findings.manifestBytes;
  const recovered = await mendOpenSegment(files, directory, findings.open, events);
  const unlisted = recovered === undefined ? findings.unlisted : [...findings.unlisted, recovered];
  for (const segment of unlisted) {
    // Its name may be one that only the running system knows; the manifest must not outlive it.
    await files.syncDirectory(dirname(join(directory, segment.file)));
    manifestBytes = await appendToManifest(files, directory, manifestBytes, segment);
    sealed.push(segment);
  }
  return { sealed, manifestBytes };
}

/** Seals what is good in the open segment; undefined when there was nothing. */
async function mendOpenSegment(
  files: FileSystem,
  directory: string,
  open: OpenFindings | undefined,
  events: RecoveryEvents,
): Promise<SealedSegment | undefined> {
  if (open === undefined) return undefined;
  const path = join(directory, open.file);
  if (open.bytes > open.wholeBytes) await saveTornTail(files, directory, open, events);
  const { whole } = open;
  if (whole === undefined) {
    await files.remove(path);
    await files.syncDirectory(dirname(path));
    return undefined;
  }
  let { sha256 } = whole;
  const content = filePart(files, path, 0, open.wholeBytes);
  await replaceFile(files, path, content, async (temporary) => {
    const copy = await scanSegmentFile(
      files,
      directory,
      relative(directory, temporary),
      open.start,
    );
    if (copy.fault !== undefined || copy.lastSeq !== whole.lastSeq)
      throw readsDifferently(open.file);
    ({ sha256 } = copy);
  });
  await files.rename(path, join(directory, whole.file));
  return { ...whole, sha256 };
}

function readsDifferently(file: string): RepricerError {
  return new RepricerError('STORAGE_FAILED', `${file} reads differently after it was copied`);
}

async function saveTornTail(
  files: FileSystem,
  directory: string,
  open: OpenFindings,
  events: RecoveryEvents,
): Promise<void> {
  const savedAs = `${open.file.slice(0, -openSuffix.length)}.${open.wholeBytes}${brokenSuffix}`;
  const path = join(directory, open.file);
  await replaceFile(
    files,
    join(directory, savedAs),
    filePart(files, path, open.wholeBytes, open.bytes),
  );
  events.tornTailCut(open.file, open.wholeBytes, open.bytes - open.wholeBytes, savedAs);
}
