import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nodeFileSystem } from '../../../src/files/file-system.ts';
import type { ProductId } from '../../../src/model/product-id.ts';
import { writeCheckpoint } from '../../../src/storage/checkpoint.ts';
import { replaceManifest, type SealedSegment } from '../../../src/storage/manifest.ts';
import { productFile } from '../../../src/storage/product-file.ts';
import { encodeRecord } from '../../../src/storage/record.ts';
import { segmentFile } from '../../../src/storage/segment-file.ts';
import {
  batchAfter,
  longProduct,
  madeProduct,
  madeRecord,
  oddSeqs,
  seqsOf,
} from './made-record.ts';
import type { StoreSize } from './store-size.ts';

/** A segment is sealed at the size at which the service seals by default. */
const segmentBytes = 64 << 20;
const writeLines = 10_000;

/**
 * Writes a data directory as a service leaves it at a clean stop, by the service's own encoders and
 * without the service, so that even a large one takes minutes and not hours. Nothing is synced but
 * the manifest and the checkpoint. The directory must be new.
 */
export async function makeStore(directory: string, size: StoreSize): Promise<void> {
  const sealed: SealedSegment[] = [];
  while ((sealed.at(-1)?.lastSeq ?? 0) < size.records) {
    sealed.push(writeSegment(directory, (sealed.at(-1)?.lastSeq ?? 0) + 1, size));
  }
  writeProductFile(directory, longProduct, oddSeqs(size), size);
  for (let index = 0; index < size.products; index += 1) {
    writeProductFile(directory, madeProduct(index), seqsOf(index, size), size);
  }
  await replaceManifest(nodeFileSystem, directory, sealed);
  // The last of all, as what changed after it is read again at a start.
  const counts = { seq: size.records, products: size.products + 1 };
  await writeCheckpoint(nodeFileSystem, directory, counts);
}

function writeSegment(directory: string, firstSeq: number, size: StoreSize): SealedSegment {
  const firstTimestamp = madeRecord(firstSeq, size).timestamp;
  const file = segmentFile(firstSeq, firstTimestamp);
  const descriptor = create(join(directory, file));
  const hash = createHash('sha256');
  let bytes = 0;
  let lastSeq = firstSeq - 1;
  while (lastSeq < size.records && bytes < segmentBytes) {
    const seqs = batchAfter(lastSeq, size);
    const batch = Buffer.from(seqs.map((seq) => encodeRecord(madeRecord(seq, size))).join(''));
    hash.update(batch);
    bytes += writeSync(descriptor, batch);
    lastSeq += seqs.length;
  }
  closeSync(descriptor);
  const { timestamp: lastTimestamp } = madeRecord(lastSeq, size);
  return {
    ...{ file, rows: lastSeq - firstSeq + 1, firstSeq, lastSeq, firstTimestamp, lastTimestamp },
    ...{ bytes, sha256: hash.digest('hex'), keyedRows: 0 },
  };
}

function writeProductFile(
  directory: string,
  productId: ProductId,
  seqs: Iterable<number>,
  size: StoreSize,
): void {
  const descriptor = create(join(directory, productFile(productId)));
  let lines: string[] = [];
  for (const seq of seqs) {
    lines.push(encodeRecord(madeRecord(seq, size)));
    if (lines.length < writeLines) continue;
    writeFileSync(descriptor, lines.join(''));
    lines = [];
  }
  writeFileSync(descriptor, lines.join(''));
  closeSync(descriptor);
}

function create(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  return openSync(path, 'wx');
}
