import type { FileSystem, OpenFile } from '../files/file-system.ts';
import { readLines } from '../files/lines.ts';
import { listProductFiles } from './product-listing.ts';
import { BadRecord, decodeLine, recordBytesMax } from './record.ts';
import { withFile } from './record-file.ts';

/**
 * A record with a seq past `lastSeq` near the end of any product file; undefined when there is none.
 * It opens every product file, so it is for the rare start that found a torn tail or no checkpoint.
 */
export async function findProductRecordBeyond(
  files: FileSystem,
  directory: string,
  lastSeq: number,
): Promise<{ readonly file: string; readonly seq: number } | undefined> {
  for await (const paths of listProductFiles(files, directory)) {
    for (const file of paths) {
      const seq = await withFile(files, directory, file, lastReadableSeq);
      if (seq > lastSeq) return { file, seq };
    }
  }
  return undefined;
}

/** The seq of the last good line among the last few; 0 when there is none. */
async function lastReadableSeq(file: OpenFile): Promise<number> {
  const { bytes } = await file.stat();
  let seq = 0;
  for await (const lines of readLines(
    file,
    Math.max(0, bytes - 2 * recordBytesMax),
    bytes,
    recordBytesMax,
  )) {
    for (const line of lines) {
      const record = decodeLine(line);
      if (!(record instanceof BadRecord)) seq = Math.max(seq, record.seq);
    }
  }
  return seq;
}
