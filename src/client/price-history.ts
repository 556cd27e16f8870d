import { AnswerFields } from './answer-fields.ts';

/** A product's price over time, in buckets of equal length. */
export interface PriceHistory {
  readonly productId: string;
  readonly buckets: readonly PriceBucket[];
}

/** What the price was like from one moment to another, in seconds since the epoch; null where there was none. */
export interface PriceBucket {
  readonly from: number;
  readonly to: number;
  readonly open: string | null;
  readonly high: string | null;
  readonly low: string | null;
  readonly close: string | null;
  /** How many prices were recorded. */
  readonly changes: number;
  readonly timeWeightedAverage: string | null;
}

/** The range of a history, and how it is cut. */
export interface HistoryRange {
  /** RFC 3339. */
  readonly from: string | Date;
  readonly to: string | Date;
  /** Such as `'30s'`, `'15m'`, `'1h'` or `'7d'`; at most 1000 buckets. */
  readonly interval: string;
}

export function readPriceHistory(fields: AnswerFields): PriceHistory {
  return { productId: fields.text('productId'), buckets: fields.list('buckets').map(readBucket) };
}

function readBucket(value: unknown): PriceBucket {
  const fields = AnswerFields.of(value);
  return {
    from: fields.number('from'),
    to: fields.number('to'),
    open: fields.decimalOrNull('open'),
    high: fields.decimalOrNull('high'),
    low: fields.decimalOrNull('low'),
    close: fields.decimalOrNull('close'),
    changes: fields.number('changes'),
    timeWeightedAverage: fields.decimalOrNull('timeWeightedAverage'),
  };
}
