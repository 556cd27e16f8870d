import { type ErrorCode, isSystemError, RepricerError } from './errors.ts';

/** How a process of this project ends; the numbers above 63 are those of BSD's sysexits.h. */
export const exitCode = {
  ok: 0,
  /** The deadline of a stop passed, or a mistake of ours. Nothing acknowledged is lost. */
  failed: 1,
  /** Flags or environment variables broke a rule (EX_USAGE). */
  usage: 64,
  /** The data breaks a rule of the format (EX_DATAERR). */
  damaged: 65,
  /** Reading or writing failed (EX_IOERR). */
  io: 74,
  /** Another process owns the data directory (EX_TEMPFAIL). */
  locked: 75,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

const byErrorCode: Partial<Record<ErrorCode, ExitCode>> = {
  INVALID_CONFIG: exitCode.usage,
  JOURNAL_DAMAGED: exitCode.damaged,
  STORAGE_FAILED: exitCode.io,
  STORAGE_BUSY: exitCode.io,
  NO_SPACE: exitCode.io,
  DIRECTORY_LOCKED: exitCode.locked,
};

/** The exit code for an error that ended a command. An errno is a failed system call. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof RepricerError) return byErrorCode[error.code] ?? exitCode.failed;
  return isSystemError(error) ? exitCode.io : exitCode.failed;
}
