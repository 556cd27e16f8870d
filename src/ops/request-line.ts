import { type LogIdentity, membersOf } from './log-line.ts';

/** What the line of a request says that was neither refused nor failed. */
export interface RequestFields {
  readonly method: string;
  readonly route: string;
  readonly path: string;
  readonly status: number;
  readonly durationMs: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly actor?: string;
}

/**
 * Makes the line that `jsonLineFormat` makes of `info('request', fields)`. There are thousands of them a second,
 * so it is put together by hand, of texts in which nothing needs an escape but in path and actor.
 */
export function requestLineFormat(
  identity: LogIdentity,
): (nowMs: number, fields: RequestFields) => string {
  const ofIdentity = membersOf(identity);
  let keptMs = Number.NaN;
  let time = '';
  return (nowMs, { method, route, path, status, durationMs, traceId, spanId, actor }) => {
    if (nowMs !== keptMs) time = new Date(nowMs).toISOString();
    keptMs = nowMs;
    const who = actor === undefined ? '' : `,"actor":${JSON.stringify(actor)}`;
    return (
      `{"timestamp":"${time}","level":"info"${ofIdentity},"message":"request","method":"${method}"` +
      `,"route":"${route}","path":${JSON.stringify(path)},"status":${status}` +
      `,"durationMs":${durationMs},"traceId":"${traceId}","spanId":"${spanId}"${who}}`
    );
  };
}
