import type { Log } from '../../src/ops/log.ts';
import type { LogFields, LogLevel } from '../../src/ops/log-line.ts';

export interface RecordedLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** A log that keeps its lines for the test to look at. */
export function createRecordingLog(): Log & { readonly lines: readonly RecordedLine[] } {
  const lines: RecordedLine[] = [];
  const logAt = (level: LogLevel) => (message: string, fields?: LogFields) => {
    lines.push({ level, message, fields });
  };
  return {
    lines,
    error: logAt('error'),
    warn: logAt('warn'),
    info: logAt('info'),
    debug: logAt('debug'),
    request: (fields) => logAt('info')('request', { ...fields }),
    isEnabled: () => true,
    droppedLines: 0,
    close: () => Promise.resolve(),
  };
}
