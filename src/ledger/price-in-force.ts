import assert from 'node:assert';
import type { PriceRecord } from '../model/price-record.ts';
import type { Timestamp } from '../model/timestamp.ts';
import type { RecordSequence } from '../storage/record-sequence.ts';
import { indexAfter } from './index-after.ts';

/** A price and the time that it held: from its own timestamp up to, without, `validTo`. */
export interface PriceInForce {
  readonly record: PriceRecord;
  /** When the next price replaced it; null when none has. */
  readonly validTo: Timestamp | null;
}

/**
 * The price of a product's `records` at a moment, the last one at or before it; undefined when the
 * first came later. One binary search and one slice, however many records there are.
 */
export async function priceInForce(
  records: RecordSequence,
  at: Timestamp,
): Promise<PriceInForce | undefined> {
  const next = await indexAfter(records, at);
  if (next === 0) return undefined;
  const [record, replacement] = await records.slice(next - 1, Math.min(next + 1, records.length));
  assert(record !== undefined, 'a slice has the records between its bounds');
  return { record, validTo: replacement?.timestamp ?? null };
}
