import { RandomHex } from './random-hex.ts';

/** A request's place in a trace, as W3C Trace Context names it; all in lower-case hex. */
export interface Trace {
  /** 16 bytes, the same in every service that the request passes. */
  readonly traceId: string;
  /** 8 bytes, this service's part. */
  readonly spanId: string;
  readonly flags: TraceFlags;
}

/** Whether a caller records the trace: `01`, or does not: `00`. The other bits are not ours to pass on. */
export type TraceFlags = '00' | '01';

const fields = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
const zeros = /^0+$/;
const versionZeroLength = 55;

/**
 * The trace that a `traceparent` header names; undefined when it breaks a rule of the standard.
 * A version that is not known yet is read as far as version 00 goes (W3C Trace Context, 4.3).
 */
export function parseTraceparent(
  header: string | undefined,
): { readonly traceId: string; readonly flags: TraceFlags } | undefined {
  const match = header === undefined || header === '' ? null : fields.exec(header);
  if (match === null) return undefined;
  const [text, version = '', traceId = '', parentId = '', flags = ''] = match;
  if (version === 'ff' || (version === '00' && text.length !== versionZeroLength)) return undefined;
  if (zeros.test(traceId) || zeros.test(parentId)) return undefined;
  return { traceId, flags: Number.parseInt(flags, 16) % 2 === 1 ? '01' : '00' };
}

/** Starts the traces of requests. */
export class Traces {
  readonly #ids = new RandomHex();

  /** Continues the caller's trace, or begins one when the header is absent or not valid. */
  start(header: string | undefined): Trace {
    const { traceId, flags } = parseTraceparent(header) ?? {
      traceId: this.#newId(32),
      flags: '00',
    };
    return { traceId, spanId: this.#newId(16), flags };
  }

  /** Not all zeros, which would stand for none. */
  #newId(digits: number): string {
    let id = this.#ids.take(digits);
    while (zeros.test(id)) id = this.#ids.take(digits);
    return id;
  }
}

/** The value of `traceparent` towards others, and of `traceresponse` towards the caller. */
export function formatTraceparent({ traceId, spanId, flags }: Trace): string {
  return `00-${traceId}-${spanId}-${flags}`;
}
