/** The fields of a record's line, as they are written. */
export interface RecordFields {
  readonly seq: number;
  readonly batch: number;
  readonly productId: string;
  readonly version: number;
  /** A decimal, or `null`. */
  readonly previousPrice: string;
  readonly newPrice: string;
  readonly timestamp: string;
  /** Those that the line has. */
  readonly texts?: RecordTexts;
  readonly batchSize?: number;
}

interface RecordTexts {
  readonly currency?: string;
  readonly source?: string;
  readonly reason?: string;
  readonly idempotencyKey?: string;
  readonly actor?: string;
}

const text = '"(?:[^"\\\\\\u0000-\\u001f]|\\\\["\\\\/bfnrt]|\\\\u[0-9a-f]{4})*"';
const form = new RegExp(
  `^\\{"seq":(\\d{1,15}),"batch":(\\d{1,15}),"productId":(${text}),"version":(\\d{1,15}),` +
    `"previousPrice":(null|[\\d.]{3,19}),"newPrice":([\\d.]{3,19}),"timestamp":"([^"]{27})"` +
    `(?:,"currency":(${text}))?(?:,"source":(${text}))?(?:,"reason":(${text}))?` +
    `(?:,"idempotencyKey":(${text}))?(?:,"actor":(${text}))?(?:,"batchSize":(\\d{1,15}))?$`,
);

/** The fields of any record's line, up to its checksum; undefined when it does not have the form of one. No rule of their values is looked at. */
export function matchRecord(line: string): RecordFields | undefined {
  const match = form.exec(line);
  if (match === null) return undefined;
  const [, seq, batch, product, version, previousPrice = '', newPrice = '', timestamp = ''] = match;
  const productId = decodeText(product);
  const [currency, source, reason, idempotencyKey, actor] = match.slice(8, 13).map(decodeText);
  const texts = {
    ...(currency !== undefined && { currency }),
    ...(source !== undefined && { source }),
    ...(reason !== undefined && { reason }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(actor !== undefined && { actor }),
  };
  const numbers = { seq: Number(seq), batch: Number(batch), version: Number(version) };
  return {
    ...numbers,
    productId: productId ?? '',
    previousPrice,
    newPrice,
    timestamp,
    texts,
    ...(match[13] !== undefined && { batchSize: Number(match[13]) }),
  };
}

function decodeText(json: string | undefined): string | undefined {
  if (json === undefined) return undefined;
  const value: unknown = JSON.parse(json);
  return typeof value === 'string' ? value : undefined;
}
