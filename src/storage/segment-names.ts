import { join } from 'node:path';
import { listIfPresent } from '../files/directories.ts';
import type { FileSystem } from '../files/file-system.ts';
import {
  isOwnTemporary,
  isSegmentDirectory,
  parseSegmentName,
  resultsDirectory,
} from './segment-file.ts';

/** The journal's files as their names tell them. */
export interface SegmentNames {
  /** Paths within the data directory by first seq. */
  readonly sealed: ReadonlyMap<number, string>;
  readonly open: readonly { readonly file: string; readonly firstSeq: number }[];
  /** Further sealed segments whose first seq another one has too. */
  readonly duplicates: readonly { readonly file: string; readonly firstSeq: number }[];
  /** What interrupted replacements of these files left; no other file is taken for that. */
  readonly leftovers: readonly string[];
}

export async function listSegments(files: FileSystem, directory: string): Promise<SegmentNames> {
  const sealed = new Map<number, string>();
  const open: { file: string; firstSeq: number }[] = [];
  const duplicates: { file: string; firstSeq: number }[] = [];
  const leftovers: string[] = [];
  const dates = await listIfPresent(files, join(directory, resultsDirectory));
  for (const date of dates.filter(isSegmentDirectory)) {
    for (const name of await files.list(join(directory, resultsDirectory, date))) {
      const file = `${resultsDirectory}/${date}/${name}`;
      const segment = parseSegmentName(name);
      if (isOwnTemporary(name)) leftovers.push(file);
      if (segment === undefined) continue;
      const { firstSeq, isOpen } = segment;
      if (isOpen) open.push({ file, firstSeq });
      else if (!sealed.has(firstSeq)) sealed.set(firstSeq, file);
      else duplicates.push({ file, firstSeq });
    }
  }
  return { sealed, open, duplicates, leftovers };
}
