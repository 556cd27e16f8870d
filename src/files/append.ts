/** Something to add at the end of a file. */
export interface Append {
  readonly path: string;
  readonly text: string;
  /** Whether the file must be empty or not be there; otherwise it must be there and not be empty. */
  readonly isNew: boolean;
}

/** What became of one: `unfit` is a file that is not as it must be, on which nothing was done. */
export type AppendOutcome = 'done' | 'unfit' | Error;
