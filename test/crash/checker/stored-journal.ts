import { readStore } from './stored-files.ts';
import { readRecord, type StoredRecord } from './stored-record.ts';

/** All records of a directory in the order of seq, unchecked; nothing may be written meanwhile. */
export async function journalOf(directory: string): Promise<readonly StoredRecord[]> {
  const files = await readStore({ directory });
  const segments = [...files].filter(([path]) => path.startsWith('results/'));
  const lines = segments.flatMap(([, bytes]) => bytes.toString('utf8').split('\n'));
  return lines.flatMap((line) => readRecord(line) ?? []).sort((a, b) => a.seq - b.seq);
}
