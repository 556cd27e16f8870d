import type { PlacedRecord } from '../model/price-record.ts';

/** What an accepted reprice gets back: the record as it was made durable, and where it stands. */
export type Receipt = PlacedRecord;
