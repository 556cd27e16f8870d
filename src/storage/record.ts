import assert from 'node:assert';
import type { Line } from '../files/lines.ts';
import { isPrice, type Price } from '../model/price.ts';
import type { PriceRecord } from '../model/price-record.ts';
import { isProductId } from '../model/product-id.ts';
import {
  createTimestampFormat,
  createTimestampParse,
  formatTimestamp,
  type Timestamp,
} from '../model/timestamp.ts';
import { encodeCheckedLine, fieldsEnd, isIntact } from './checked-line.ts';
import { matchRecord, type RecordFields } from './match-record.ts';
import { scanPlainRecord } from './scan-plain-record.ts';

/*
 * The on-disk format of a record: one line of UTF-8 JSON, fields always in this order, `\n` at the end.
 *
 *   {"seq":8001,"batch":8000,"productId":"foo","version":12,"previousPrice":3.50,"newPrice":3.55,
 *    "timestamp":"2026-11-21T01:11:15.355823Z","crc":"9ae3c210"}          (one line, no spaces)
 *
 *   seq            1, 2, 3 … over all records
 *   batch          the first seq of the batch that was written and synced together
 *   productId      see model/product-id.ts
 *   version        1, 2, 3 … within the product
 *   previousPrice  the price of the version before; null for version 1
 *   newPrice       an exact decimal, always with a fraction part (see model/price.ts)
 *   timestamp      UTC with microseconds, strictly increasing with seq
 *   currency, source, reason, idempotencyKey   only when the client gave them
 *   actor          the name of the token that the request came with; only when it came with one
 *   batchSize      only in the first record of a batch of more than one: how many it has
 *   crc            see checked-line.ts
 *
 * The journal and the product files hold the same lines.
 */

/** The longest line in bytes, newline included. The longest texts that a request may give make 3.5 kB. */
export const recordBytesMax = 4096;

/** What stands in the place of a record that could not be read. */
export class BadRecord {
  readonly problem: string;

  constructor(problem: string) {
    this.problem = problem;
  }
}

/** The records' lines, newlines included. */
export function encodeRecords(records: readonly PriceRecord[]): readonly string[] {
  const formatTime = createTimestampFormat();
  return records.map((record) => encode(record, formatTime));
}

/** The record's line, newline included. */
export function encodeRecord(record: PriceRecord): string {
  return encode(record, formatTimestamp);
}

function encode(record: PriceRecord, formatTime: (timestamp: Timestamp) => string): string {
  const optional =
    encodeOptional('currency', record.currency) +
    encodeOptional('source', record.source) +
    encodeOptional('reason', record.reason) +
    encodeOptional('idempotencyKey', record.idempotencyKey) +
    encodeOptional('actor', record.actor) +
    encodeOptional('batchSize', record.batchSize);
  const line = encodeCheckedLine(
    `{"seq":${record.seq},"batch":${record.batch},"productId":${JSON.stringify(record.productId)},` +
      `"version":${record.version},"previousPrice":${record.previousPrice},` +
      `"newPrice":${record.newPrice},"timestamp":"${formatTime(record.timestamp)}"${optional}`,
  );
  assert(Buffer.byteLength(line) <= recordBytesMax, 'a record is longer than the longest line');
  return line;
}

/** The record that a line of a file holds, or what is wrong with the line. */
export function decodeLine({ bytes, isWhole }: Line): PriceRecord | BadRecord {
  return isWhole ? decodeRecord(bytes) : new BadRecord('no newline ends it');
}

/** The same for a line without its newline. */
export function decodeRecord(line: Buffer): PriceRecord | BadRecord {
  if (!isIntact(line)) return new BadRecord('its checksum does not match its bytes');
  const end = fieldsEnd(line);
  const fields = scanPlainRecord(line, end) ?? matchRecord(line.toString('utf8', 0, end));
  if (fields === undefined) return new BadRecord('it does not have the form of a record');
  return toRecord(fields) ?? new BadRecord('one of its fields breaks a rule of the format');
}

/** The record with these fields; undefined when one of them breaks a rule of the format. */
function toRecord(fields: RecordFields): PriceRecord | undefined {
  const { seq, batch, productId, version, batchSize, texts } = fields;
  const timestamp = parseTime(fields.timestamp);
  if (!isProductId(productId) || timestamp === undefined) return undefined;
  if (seq < 1 || batch < 1 || batch > seq || version < 1) return undefined;
  const isFirst = fields.previousPrice === 'null';
  if (isFirst !== (version === 1)) return undefined;
  const previousPrice = isFirst ? null : toWrittenPrice(fields.previousPrice);
  const newPrice = toWrittenPrice(fields.newPrice);
  if (previousPrice === undefined || newPrice === undefined) return undefined;
  const record = { seq, batch, productId, version, previousPrice, newPrice, timestamp };
  if (batchSize === undefined) return texts === undefined ? record : { ...record, ...texts };
  if (batchSize < 2 || seq !== batch) return undefined;
  return { ...record, ...texts, batchSize };
}

const parseTime = createTimestampParse();

function toWrittenPrice(digits: string): Price | undefined {
  return isPrice(digits) ? digits : undefined;
}

function encodeOptional(name: string, value: string | number | undefined): string {
  return value === undefined ? '' : `,"${name}":${JSON.stringify(value)}`;
}
