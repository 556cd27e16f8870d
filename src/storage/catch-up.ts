import { hasCode } from '../errors.ts';
import type { FileSystem } from '../files/file-system.ts';
import type { PriceRecord } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';
import { inParallel } from './in-parallel.ts';
import type { ReadableSegment } from './open-segment.ts';
import { productFile } from './product-file.ts';
import type { ProductFiles } from './product-files.ts';
import { linesOfProduct } from './product-lines.ts';
import { readSegmentLines, recordOfLine } from './segment-lines.ts';
import type { RecoveryEvents } from './storage-events.ts';

/** Records are put into product files after this many bytes of the journal, so that memory stays bounded. */
const portionBytes = 32 * 1024 * 1024;
const writersInParallel = 4;

/** What a portion of the journal holds for one product. */
interface ProductPortion {
  readonly firstVersion: number;
  readonly lines: string[];
}

/**
 * Brings product files up to the journal's end, given that they are complete and on disk up to
 * `checkpointSeq` (0: make them anew). What they hold beyond that may be anything that an interrupted
 * append can leave. It may itself be interrupted and run again; nothing is synced here.
 */
export class CatchUp {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #segments: readonly ReadableSegment[];
  readonly #productFiles: ProductFiles;
  readonly #events: RecoveryEvents;
  #portion = new Map<ProductId, ProductPortion>();
  #portionBytes = 0;
  #newProducts = 0;

  constructor(
    files: FileSystem,
    directory: string,
    segments: readonly ReadableSegment[],
    productFiles: ProductFiles,
    events: RecoveryEvents,
  ) {
    this.#files = files;
    this.#directory = directory;
    this.#segments = segments;
    this.#productFiles = productFiles;
    this.#events = events;
  }

  /** Gives the number of products that began after the checkpoint. */
  async run(checkpointSeq: number): Promise<number> {
    this.#newProducts = 0;
    for (const segment of this.#segments) {
      if (segment.lastSeq > checkpointSeq) await this.#takeSegment(segment, checkpointSeq);
    }
    await this.#settlePortion();
    return this.#newProducts;
  }

  async #takeSegment(segment: ReadableSegment, checkpointSeq: number): Promise<void> {
    const blocks = readSegmentLines(this.#files, this.#directory, segment);
    for await (const { firstSeq, lines } of blocks) {
      for (const [index, line] of lines.entries()) {
        const record = recordOfLine(segment, line, firstSeq + index);
        if (record.seq > checkpointSeq) this.#take(record, line.bytes);
      }
      if (this.#portionBytes >= portionBytes) await this.#settlePortion();
    }
  }

  #take(record: PriceRecord, line: Buffer): void {
    if (record.version === 1) this.#newProducts += 1;
    const portion = this.#portion.get(record.productId);
    const text = `${line.toString()}\n`;
    if (portion !== undefined) portion.lines.push(text);
    else this.#portion.set(record.productId, { firstVersion: record.version, lines: [text] });
    this.#portionBytes += line.length;
  }

  async #settlePortion(): Promise<void> {
    await inParallel([...this.#portion], writersInParallel, ([productId, portion]) =>
      this.#settle(productId, portion),
    );
    this.#portion = new Map();
    this.#portionBytes = 0;
  }

  async #settle(productId: ProductId, { firstVersion, lines }: ProductPortion): Promise<void> {
    const text = lines.join('');
    try {
      await this.#productFiles.settle({ productId, firstVersion, lines: text });
    } catch (error) {
      if (!hasCode(error, 'PRODUCT_FILE_DAMAGED')) throw error;
      await this.#rebuildBelow(productId, firstVersion);
      await this.#productFiles.settle({ productId, firstVersion, lines: text });
    }
  }

  async #rebuildBelow(productId: ProductId, versionEnd: number): Promise<void> {
    const lines = linesOfProduct(
      this.#files,
      this.#directory,
      this.#segments,
      productId,
      versionEnd,
      Number.POSITIVE_INFINITY,
    );
    await this.#productFiles.replace(productId, lines);
    this.#events.derivedFileRebuilt(
      productFile(productId),
      'product-lacks-version',
      'it lacked versions before the checkpoint',
    );
  }
}
