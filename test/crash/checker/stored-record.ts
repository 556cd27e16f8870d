import { crc32 } from 'node:zlib';

/** A record as it stands in a file, read with nothing of the program: prices and times stay text. */
export interface StoredRecord {
  readonly seq: number;
  readonly batch: number;
  readonly batchSize: number;
  readonly productId: string;
  readonly version: number;
  readonly previousPrice: string | null;
  readonly newPrice: string;
  readonly timestamp: string;
  /** The line that it stands in, without the newline. */
  readonly line: string;
}

const price = '(?:[1-9]\\d*|0)\\.\\d+';
const form = new RegExp(
  `^{"seq":(\\d+),"batch":(\\d+),"productId":"(?:[^"\\\\]|\\\\.)*","version":(\\d+),` +
    `"previousPrice":(null|${price}),"newPrice":(${price}),` +
    `"timestamp":"(\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z)"[,}]`,
);

/** The record of a line; undefined when its checksum or its form is wrong. */
export function readRecord(line: string): StoredRecord | undefined {
  if (!hasGoodSum(line)) return undefined;
  const match = form.exec(line);
  if (match === null) return undefined;
  const fields = JSON.parse(line) as { productId: string; batchSize?: number };
  const [, seq, batch, version, previous = '', newPrice = '', timestamp = ''] = match;
  return {
    seq: Number(seq),
    batch: Number(batch),
    batchSize: fields.batchSize ?? 1,
    productId: fields.productId,
    version: Number(version),
    previousPrice: previous === 'null' ? null : previous,
    newPrice,
    timestamp,
    line,
  };
}

/** Whether a line ends with the CRC-32 of the bytes before `,"crc"`. */
export function hasGoodSum(line: string): boolean {
  const sum = /,"crc":"([0-9a-f]{8})"}$/.exec(line);
  if (sum === null) return false;
  return crc32(line.slice(0, sum.index)).toString(16).padStart(8, '0') === sum[1];
}
