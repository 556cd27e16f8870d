import type { StoredRecord } from '../storage/ledger-storage.ts';

/** What an accepted reprice gets back: the record as it was made durable, and where it stands. */
export type Receipt = StoredRecord;
