import type { AnswerFields } from './answer-fields.ts';
import { type PriceRecord, readPriceRecords } from './price-record.ts';

/** The last prices of many products, as far as they were known in time. */
export interface PriceList {
  /** In the order asked for. */
  readonly prices: readonly PriceRecord[];
  /** Products that have no price. */
  readonly missing: readonly string[];
  /** Products that could not be read in time. */
  readonly pending: readonly string[];
}

export function readPriceList(fields: AnswerFields): PriceList {
  return {
    prices: readPriceRecords(fields.list('prices')),
    missing: fields.texts('missing'),
    pending: fields.texts('pending'),
  };
}
