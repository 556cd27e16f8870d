import { AnswerFields } from './answer-fields.ts';

/** One price change, as reads, queries and the feed show it. */
export interface PriceRecord {
  readonly productId: string;
  /** Exact: as many digits as were recorded, such as `'3.50'`. */
  readonly price: string;
  /** The price that this one replaced; null for version 1. */
  readonly previousPrice: string | null;
  /** Seconds since the epoch; a number holds them to the microsecond, until the year 2255. */
  readonly timestamp: number;
  /** 1, 2, 3 … within the product. */
  readonly version: number;
  /** 1, 2, 3 … over all records. */
  readonly seq: number;
}

/** A price and the time in which it held. */
export interface PriceInForce extends PriceRecord {
  readonly validFrom: number;
  /** Null while no later price is known. */
  readonly validTo: number | null;
}

export function readPriceRecord(fields: AnswerFields): PriceRecord {
  return {
    productId: fields.text('productId'),
    price: fields.decimal('price'),
    previousPrice: fields.decimalOrNull('previousPrice'),
    timestamp: fields.number('timestamp'),
    version: fields.number('version'),
    seq: fields.number('seq'),
  };
}

export function readPriceRecords(list: readonly unknown[]): readonly PriceRecord[] {
  return list.map((value) => readPriceRecord(AnswerFields.of(value)));
}

export function readPriceInForce(fields: AnswerFields): PriceInForce {
  return {
    ...readPriceRecord(fields),
    validFrom: fields.number('validFrom'),
    validTo: fields.numberOrNull('validTo'),
  };
}
