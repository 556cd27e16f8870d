import type { AnswerFields } from './answer-fields.ts';

/** A record with all that was noted, and where its line stands in the journal. */
export interface JournalRecord {
  readonly seq: number;
  /** The first seq of the records that were written and synced together. */
  readonly batch: number;
  readonly productId: string;
  readonly version: number;
  readonly previousPrice: string | null;
  readonly newPrice: string;
  /** RFC 3339, UTC, with microseconds. */
  readonly timestamp: string;
  readonly currency?: string;
  readonly source?: string;
  readonly reason?: string;
  readonly idempotencyKey?: string;
  /** The name of the token that it was written with. */
  readonly actor?: string;
  /** Whether the price is the same amount as the one that it replaced. */
  readonly unchanged: boolean;
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** The record is on disk. */
export interface Receipt extends JournalRecord {
  readonly kind: 'recorded';
  /** Whether an earlier request with the same key had recorded it. */
  readonly replayed: boolean;
}

/** With `ifChanged`: the price was that amount already, and nothing was recorded. */
export interface Unchanged {
  readonly kind: 'unchanged';
  readonly productId: string;
  readonly version: number;
  readonly price: string;
}

/** With `dryRun`: what would have been recorded. */
export interface Draft
  extends Omit<JournalRecord, 'seq' | 'batch' | 'timestamp' | 'file' | 'offset' | 'length'> {
  readonly kind: 'dry run';
}

export type RepriceResult = Receipt | Unchanged | Draft;

/** Of an answer that has a record, or what stands in its place. */
export function readRepriceResult(fields: AnswerFields, replayed: boolean): RepriceResult {
  if (fields.has('seq')) return { kind: 'recorded', replayed, ...readJournalRecord(fields) };
  return readUnrecorded(fields);
}

export function readUnrecorded(fields: AnswerFields): Unchanged | Draft {
  if (fields.flag('dryRun')) return { kind: 'dry run', ...readDraft(fields) };
  return {
    kind: 'unchanged',
    productId: fields.text('productId'),
    version: fields.number('version'),
    price: fields.decimal('price'),
  };
}

export function readJournalRecord(fields: AnswerFields): JournalRecord {
  return {
    seq: fields.number('seq'),
    batch: fields.number('batch'),
    timestamp: fields.text('timestamp'),
    ...readDraft(fields),
    file: fields.text('file'),
    offset: fields.number('offset'),
    length: fields.number('length'),
  };
}

function readDraft(fields: AnswerFields): Omit<Draft, 'kind'> {
  return {
    productId: fields.text('productId'),
    version: fields.number('version'),
    previousPrice: fields.decimalOrNull('previousPrice'),
    newPrice: fields.decimal('newPrice'),
    ...fields.textsIn('currency', 'source', 'reason', 'idempotencyKey', 'actor'),
    unchanged: fields.flag('unchanged'),
  };
}
