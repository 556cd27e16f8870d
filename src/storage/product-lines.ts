import type { FileSystem } from '../files/file-system.ts';
import type { PriceRecord } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';
import type { ReadableSegment } from './open-segment.ts';
import { markedRecord, readSegmentLines } from './segment-lines.ts';

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
  const mark = Buffer.from(`"productId":${JSON.stringify(productId)},`);
  const isWanted = (record: PriceRecord | undefined) =>
    record?.productId === productId && record.version < versionEnd && record.seq <= lastSeq;
  for (const segment of segments) {
    for await (const { firstSeq, lines } of readSegmentLines(files, directory, segment)) {
      const wanted = lines.filter((line, index) =>
        isWanted(markedRecord(segment, line, firstSeq + index, mark)),
      );
      if (wanted.length > 0) yield Buffer.concat(wanted.flatMap((line) => [line.bytes, newline]));
    }
  }
}

const newline = Buffer.from('\n');
