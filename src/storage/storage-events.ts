import type { RebuiltCase } from './recovery-case.ts';

/**
 * What the storage reports of its own accord, for logs and metrics: things that no caller waits for.
 * Nothing reported here is also thrown. Implementations must not throw.
 */
export interface StorageEvents {
  /** A batch has been on its way to the disk for so long and is not there yet; told once. */
  batchHangs(records: number, seconds: number): void;
  /** A batch reached the disk; `syncSeconds` is the time that its write and its fdatasync took. */
  batchSynced(records: number, syncSeconds: number): void;
  segmentSealed(file: string, rows: number, lastSeq: number): void;
  /** The remains of an interrupted last batch were cut; their bytes were kept as `savedAs`. */
  tornTailCut(file: string, offset: number, bytes: number, savedAs: string): void;
  /** Product files hold every record up to `seq` (appended, not yet synced). */
  aggregated(seq: number): void;
  /** Product files are synced and the checkpoint written, up to `seq`. */
  checkpointed(seq: number): void;
  /**
   * Work in the background failed; acknowledged data is safe in the journal. It is tried again after
   * `retryMs`, or need not be when that is undefined.
   */
  backgroundWorkFailed(work: string, error: unknown, retryMs: number | undefined): void;
  /** A derived file (product file, checkpoint, manifest line) was missing or damaged and has been made anew. */
  derivedFileRebuilt(file: string, label: RebuiltCase, reason: string): void;
  /** A start takes `countMax` idempotency keys and leaves out at least so many whose time is not over. */
  keysLeftOut(count: number, countMax: number): void;
  /** The room on the volume, about once a second; infinitely many files where the volume does not count them. */
  roomMeasured(freeBytes: number, freeFiles: number): void;
  /** The volume fell below the watermark or a write met no space (false), or has room again (true). */
  roomChanged(hasRoom: boolean, freeBytes: number): void;
}

/** What a recovery reports. */
export type RecoveryEvents = Pick<StorageEvents, 'tornTailCut' | 'derivedFileRebuilt'>;
