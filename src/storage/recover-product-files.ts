import { join } from 'node:path';
import { removeIfPresent } from '../files/directories.ts';
import type { FileSystem } from '../files/file-system.ts';
import { temporarySuffix } from '../files/replace-file.ts';
import { CatchUp } from './catch-up.ts';
import { type Aggregated, type Checkpoint, checkpointFile, writeCheckpoint } from './checkpoint.ts';
import { journalEndsBefore } from './damage.ts';
import type { JournalFindings } from './inspect-journal.ts';
import type { SealedSegment } from './manifest.ts';
import { productsDirectory } from './product-file.ts';
import { ProductFiles } from './product-files.ts';
import { countProductFiles, listShards, removeInterruptedReplacements } from './product-listing.ts';
import { findProductRecordBeyond } from './product-tails.ts';
import type { RebuiltCase } from './recovery-case.ts';
import type { RecoveryEvents } from './storage-events.ts';

export interface RecoveredProductFiles {
  readonly productFiles: ProductFiles;
  /** Up to where they are complete and on disk: the end of the journal. */
  readonly checkpoint: Aggregated;
  /** A file without a record past this seq has not been written since this time, or someone else wrote it. */
  readonly unchanged: Pick<Checkpoint, 'seq' | 'modifiedAtNs'>;
}

/** Why what the checkpoint says of product files is not believed. */
interface Distrust {
  readonly label: RebuiltCase;
  readonly why: string;
}

const fewer: Distrust = { label: 'product-files-fewer', why: 'product files are missing' };

/**
 * Brings product files to the journal's end: from the checkpoint on when what it vouches for is still
 * there, from the beginning otherwise. It may be interrupted at any point and run again.
 */
export async function recoverProductFiles(
  files: FileSystem,
  directory: string,
  findings: JournalFindings,
  segments: readonly SealedSegment[],
  events: RecoveryEvents,
): Promise<RecoveredProductFiles> {
  const productFiles = new ProductFiles(files, directory);
  const catchUp = new CatchUp(files, directory, segments, productFiles, events);
  const { checkpoint } = findings;
  const lastSeq = segments.at(-1)?.lastSeq ?? 0;
  await removeIfPresent(files, join(directory, `${checkpointFile}${temporarySuffix}`));
  const reason = await whyUntrusted(files, directory, findings, lastSeq);
  const isUpToDate = checkpoint?.seq === lastSeq && findings.segmentsRead === 0;
  if (checkpoint !== undefined && reason === undefined && isUpToDate) {
    return { productFiles, checkpoint, unchanged: checkpoint };
  }

  await removeInterruptedReplacements(files, directory);
  let products = 0;
  let isComplete = false;
  if (checkpoint !== undefined && reason === undefined) {
    products = checkpoint.products + (await catchUp.run(checkpoint.seq));
    isComplete = (await countProductFiles(files, directory)) >= products;
  }
  if (!isComplete) {
    const isNew = checkpoint === undefined && reason === undefined;
    if (!isNew) {
      const { label, why } = reason ?? fewer;
      events.derivedFileRebuilt(productsDirectory, label, why);
    }
    if (checkpoint !== undefined) await refuseRecordsBeyond(files, directory, lastSeq);
    // The old checkpoint must not vouch for files of which an interrupted rebuild made only some.
    await removeIfPresent(files, join(directory, checkpointFile));
    await files.syncDirectory(directory);
    products = await catchUp.run(0);
  }
  productFiles.beginSync();
  await productFiles.sync();
  const written = { seq: lastSeq, products };
  await writeCheckpoint(files, directory, written);
  const { modifiedAtNs } = await files.stat(join(directory, checkpointFile));
  // The files that were not caught up are still those that the old checkpoint vouched for.
  const isCaughtUp = checkpoint !== undefined && isComplete;
  const unchanged = isCaughtUp ? checkpoint : { seq: lastSeq, modifiedAtNs };
  return { productFiles, checkpoint: written, unchanged };
}

/** A file that is made anew loses what the journal does not have; then it is the only copy. */
async function refuseRecordsBeyond(
  files: FileSystem,
  directory: string,
  lastSeq: number,
): Promise<void> {
  const beyond = await findProductRecordBeyond(files, directory, lastSeq);
  if (beyond !== undefined) throw journalEndsBefore(beyond, lastSeq);
}

/**
 * What shows that product files lack something that the checkpoint vouches for; undefined when nothing
 * does. The checkpoint of a clean stop is the last thing written, so a directory of product files in
 * which names came or went after it was changed by someone else. Without one of its files, a product
 * would begin again at version 1.
 */
async function whyUntrusted(
  files: FileSystem,
  directory: string,
  { checkpoint, isCheckpointDamaged }: JournalFindings,
  lastSeq: number,
): Promise<Distrust | undefined> {
  if (isCheckpointDamaged) return { label: 'checkpoint-damaged', why: 'the checkpoint is damaged' };
  if (checkpoint === undefined) {
    const missing: Distrust = { label: 'checkpoint-missing', why: 'the checkpoint is missing' };
    return lastSeq === 0 ? undefined : missing;
  }
  const shards = await listShards(files, directory);
  if (checkpoint.products > 0 && shards.length === 0) {
    return { label: 'product-files-missing', why: 'it is missing' };
  }
  if (checkpoint.seq < lastSeq) return undefined;
  for (const shard of shards) {
    const { modifiedAtNs } = await files.stat(join(directory, shard));
    if (modifiedAtNs > checkpoint.modifiedAtNs) {
      const why = `${shard} was changed after the checkpoint`;
      return { label: 'product-files-changed', why };
    }
  }
  return undefined;
}
