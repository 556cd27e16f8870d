import { dateOf, type Timestamp } from '../model/timestamp.ts';

/** The directory of the journal within the data directory. */
export const resultsDirectory = 'results';

/** What the name of a segment that is being written ends with, so that `*.ndjson` does not match it. */
export const openSuffix = '.open';

const directoryForm = /^date=\d{4}-\d\d-\d\d$/;
const nameForm = /^(\d{20})\.ndjson(\.open)?$/;
const pathForm = /^results\/date=\d{4}-\d\d-\d\d\/\d{20}\.ndjson$/;
const temporaryForm = /^\d{20}\.ndjson(?:\.open)?(?:(?:\.\d+)?\.broken)?\.tmp$/;

/** A sealed segment's path within the data directory: `results/date=2026-11-21/00000000000000000001.ndjson`. */
export function segmentFile(firstSeq: number, firstTimestamp: Timestamp): string {
  const name = String(firstSeq).padStart(20, '0');
  return `${resultsDirectory}/date=${dateOf(firstTimestamp)}/${name}.ndjson`;
}

/** Whether a path within the data directory is that of a sealed segment. */
export function isSegmentFile(path: string): boolean {
  return pathForm.test(path);
}

export function isSegmentDirectory(name: string): boolean {
  return directoryForm.test(name);
}

/** What a file name in a segment directory says; undefined for files that are no segments. */
export function parseSegmentName(name: string): { firstSeq: number; isOpen: boolean } | undefined {
  const match = nameForm.exec(name);
  if (match === null) return undefined;
  return { firstSeq: Number(match[1]), isOpen: match[2] !== undefined };
}

/** Whether a name is that of an unfinished replacement of a segment, or of what is set aside of one. */
export function isOwnTemporary(name: string): boolean {
  return temporaryForm.test(name);
}
