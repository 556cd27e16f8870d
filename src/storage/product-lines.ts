import type { FileSystem } from '../files/file-system.ts';
import { type Line, readLines } from '../files/lines.ts';
import type { PriceRecord } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';
import { journalDamaged } from './damage.ts';
import type { ReadableSegment } from './open-segment.ts';
import { openSegmentFile } from './open-segment-file.ts';
import { BadRecord, decodeRecord, recordBytesMax } from './record.ts';

/**
 * A product's lines with a version below `versionEnd` and a seq up to `lastSeq`, read from the whole
 * journal: what its product file has to hold. Slow, as it reads everything; it mends what no index covers.
 */
export async function* linesOfProduct(
  files: FileSystem,
  directory: string,
  segments: readonly ReadableSegment[],
  productId: ProductId,
  versionEnd: number,
  lastSeq: number,
): AsyncGenerator<Buffer> {
  // Far cheaper than decoding each line; what it lets through is decoded and compared.
  const mark = Buffer.from(`"productId":${JSON.stringify(productId)},`);
  const isWanted = (record: PriceRecord) =>
    record.productId === productId && record.version < versionEnd && record.seq <= lastSeq;
  for (const segment of segments) {
    const file = await openSegmentFile(files, directory, segment);
    try {
      for await (const lines of readLines(file, 0, segment.bytes, recordBytesMax)) {
        const wanted = lines.filter(
          (line) => line.bytes.includes(mark) && isWanted(decode(segment, line)),
        );
        if (wanted.length > 0) {
          yield Buffer.concat(wanted.flatMap((line) => [line.bytes, newline]));
        }
      }
    } finally {
      await file.close();
    }
  }
}

const newline = Buffer.from('\n');

function decode(segment: ReadableSegment, line: Line): PriceRecord {
  const record = decodeRecord(line.bytes);
  if (!(record instanceof BadRecord)) return record;
  const { problem } = record;
  const seq = segment.firstSeq;
  throw journalDamaged('sealed-bad-line', {
    file: segment.file,
    offset: line.offset,
    seq,
    problem,
  });
}
