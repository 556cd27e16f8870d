import type { ExitCode } from '../exit-code.ts';

/** What a command that ends by itself tells: the code of its process and the lines for its reader. */
export interface CommandReport {
  readonly code: ExitCode;
  readonly lines: readonly string[];
}
