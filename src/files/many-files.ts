/** Says that nothing was done. */
export class NotStarted extends Error {
  override readonly name = 'NotStarted';
}

/**
 * Calls on many files at a time, in the order in which they were asked for. Each gives the outcome of each
 * file. When one rejects, nobody knows any of them, but for `NotStarted`.
 */
export interface ManyFiles {
  /** Adds to each file in one go. A new one's directory is made too, but none above that. */
  appendAll(appends: readonly Append[]): Promise<readonly AppendOutcome[]>;
  /** Puts each file's data and length on disk (fdatasync). */
  syncAll(paths: readonly string[]): Promise<readonly SyncOutcome[]>;
}

/** Something to add at the end of a file. */
export interface Append {
  readonly path: string;
  readonly text: string;
  /** Whether the file must be empty or not be there; otherwise it must be there and not be empty. */
  readonly isNew: boolean;
}

/** What became of one: `unfit` is a file that is not as it must be, on which nothing was done. */
export type AppendOutcome = 'done' | 'unfit' | Error;

/** What became of a sync. */
export type SyncOutcome = 'done' | FailedSync;

export interface FailedSync {
  readonly error: Error;
  /** Whether the file could be opened: then nobody knows what it holds, and a second sync would say nothing. */
  readonly wasOpen: boolean;
}
