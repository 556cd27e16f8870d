import { join } from 'node:path';
import { listIfPresent } from '../files/directories.ts';
import type { FileSystem } from '../files/file-system.ts';
import { temporarySuffix } from '../files/replace-file.ts';
import { journalDamaged } from './damage.ts';
import { isSegmentDirectory, parseSegmentName, resultsDirectory } from './segment-file.ts';

/** The journal's files as their names tell them. */
export interface SegmentNames {
  /** Paths within the data directory by first seq. */
  readonly sealed: ReadonlyMap<number, string>;
  readonly open: readonly { readonly file: string; readonly firstSeq: number }[];
  readonly leftovers: readonly string[];
}

export async function listSegments(files: FileSystem, directory: string): Promise<SegmentNames> {
  const sealed = new Map<number, string>();
  const open: { file: string; firstSeq: number }[] = [];
  const leftovers: string[] = [];
  const dates = await listIfPresent(files, join(directory, resultsDirectory));
  for (const date of dates.filter(isSegmentDirectory)) {
    for (const name of await files.list(join(directory, resultsDirectory, date))) {
      const file = `${resultsDirectory}/${date}/${name}`;
      const segment = parseSegmentName(name);
      if (name.endsWith(temporarySuffix)) leftovers.push(file);
      if (segment === undefined) continue;
      const { firstSeq, isOpen } = segment;
      if (isOpen) open.push({ file, firstSeq });
      else if (!sealed.has(firstSeq)) sealed.set(firstSeq, file);
      else {
        const problem = 'there are two segments that begin with this seq';
        throw journalDamaged({ file, offset: 0, seq: firstSeq, problem });
      }
    }
  }
  return { sealed, open, leftovers };
}
