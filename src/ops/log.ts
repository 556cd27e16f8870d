import { MESSAGE } from 'triple-beam';
import winston from 'winston';
import Transport from 'winston-transport';
import { LineWriter } from './line-writer.ts';
import {
  formatTerminalLine,
  jsonLineFormat,
  type LogEntry,
  type LogFields,
  type LogIdentity,
  type LogLevel,
} from './log-line.ts';
import { type RequestFields, requestLineFormat } from './request-line.ts';

/** How long `close` waits for a reader that does not take the last lines. */
const closeTimeoutMs = 2000;

const severities: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

/** The program's own account of what it does. No call waits for the reader, and none throws. */
export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** As `info('request', fields)`, in a quarter of the time: for what is logged thousands of times a second. */
  request(fields: RequestFields): void;
  /** Whether lines of this level are written; ask before making fields that cost something. */
  isEnabled(level: LogLevel): boolean;
  /** Lines that no reader will see, because it was too slow or is gone. */
  readonly droppedLines: number;
  /**
   * Resolves when all lines are written, or after `timeoutMs` (2000 unless given) when the reader
   * does not take them. Lines that come later are not written.
   */
  close(timeoutMs?: number): Promise<void>;
}

export interface LogOptions {
  /** The least severe level that is written. */
  readonly level: LogLevel;
  /** Writes all of `bytes`; called one at a time. */
  readonly write: (bytes: Buffer) => Promise<void>;
  /** What each line for machines says of the service. */
  readonly identity?: LogIdentity;
  /** Readable lines for a person instead of JSON for machines. */
  readonly isTerminal: boolean;
}

export function createLog({ level, write, identity = {}, isTerminal }: LogOptions): Log {
  const formatLine = isTerminal ? formatTerminalLine : jsonLineFormat(identity);
  const formatRequest = isTerminal ? undefined : requestLineFormat(identity);
  const lines = new LineWriter(write, (count) =>
    formatLine({
      timestamp: new Date(),
      level: 'warn',
      message: 'log lines were dropped because they were not read in time',
      fields: { droppedLines: count },
    }),
  );
  const logger = winston.createLogger({
    level,
    levels: { ...severities },
    format: lineFormat(formatLine),
    transports: [lineTransport(lines)],
  });

  function isEnabled(lineLevel: LogLevel): boolean {
    return severities[lineLevel] <= severities[level];
  }

  function logAt(lineLevel: LogLevel): (message: string, fields?: LogFields) => void {
    return (message, fields = {}) => {
      // Winston spends 1.7 µs on a line that it then leaves out, and emits an error after its end.
      if (isEnabled(lineLevel) && logger.writable) {
        logger.log({ level: lineLevel, message, fields });
      }
    };
  }

  const info = logAt('info');
  return {
    error: logAt('error'),
    warn: logAt('warn'),
    info,
    debug: logAt('debug'),
    request(fields) {
      if (formatRequest === undefined) info('request', { ...fields });
      else if (isEnabled('info') && logger.writable) lines.add(formatRequest(Date.now(), fields));
    },
    isEnabled,
    get droppedLines() {
      return lines.droppedLines;
    },
    close(timeoutMs = closeTimeoutMs) {
      logger.end();
      return lines.flushed(timeoutMs);
    },
  };
}

/** The one format: it makes the finished line, so that nothing is formatted twice. */
function lineFormat(formatLine: (entry: LogEntry) => string): winston.Logform.Format {
  return winston.format((info) => {
    const { level, message, fields } = info;
    info[MESSAGE] = formatLine({
      timestamp: new Date(),
      level,
      message: String(message),
      fields: typeof fields === 'object' && fields !== null ? fields : {},
    });
    return info;
  })();
}

/** Winston hands each line over within the call that logs it, so none is left in it on `close`. */
function lineTransport(lines: LineWriter): Transport {
  return new Transport({
    log(info: winston.Logform.TransformableInfo, next: () => void) {
      lines.add(String(info[MESSAGE]));
      next();
    },
  });
}
