import type { PriceRecord } from '../model/price-record.ts';
import type { ProductId } from '../model/product-id.ts';
import type { Timestamp } from '../model/timestamp.ts';
import type { ProductFiles } from './product-files.ts';
import type { RecordFile } from './record-file.ts';
import type { RecordSequence } from './record-sequence.ts';

/**
 * The records of one product: those in its file, then those that are not aggregated yet and still in
 * memory. The index of a record is its version less 1.
 */
export class ProductRecords implements RecordSequence {
  readonly #productFiles: ProductFiles;
  readonly #productId: ProductId;
  readonly #onDamage: () => Error;
  /** How many records are read from the file; it may hold more by now, which are in `#tail` too. */
  readonly #inFile: number;
  readonly #tail: readonly PriceRecord[];
  /** Where the line after the last slice begins, so that pages that follow one another are not searched for. */
  #next = { index: 0, offset: 0 };
  readonly length: number;

  constructor(
    productFiles: ProductFiles,
    productId: ProductId,
    onDamage: () => Error,
    inFile: number,
    tail: readonly PriceRecord[],
  ) {
    this.#productFiles = productFiles;
    this.#productId = productId;
    this.#onDamage = onDamage;
    this.#inFile = inFile;
    this.#tail = tail;
    this.length = inFile + tail.length;
  }

  indexAt(timestamp: Timestamp): Promise<number> {
    return this.#indexOf((record) => record.timestamp >= timestamp);
  }

  indexOfSeq(seq: number): Promise<number> {
    return this.#indexOf((record) => record.seq >= seq);
  }

  async slice(start: number, end: number): Promise<readonly PriceRecord[]> {
    const fromTail = this.#tail.slice(
      Math.max(0, start - this.#inFile),
      Math.max(0, end - this.#inFile),
    );
    const count = Math.min(end, this.#inFile) - start;
    return count <= 0 ? fromTail : [...(await this.#readFile(start, count)), ...fromTail];
  }

  /** `isAtOrAfter` holds from some record on, and for all after it. */
  async #indexOf(isAtOrAfter: (record: PriceRecord) => boolean): Promise<number> {
    const inTail = this.#tail.findIndex(isAtOrAfter);
    const firstOfTail = this.#tail[0];
    const isInFile = inTail <= 0 && this.#inFile > 0;
    const inFile = isInFile ? await this.#inFileIndexOf(isAtOrAfter) : undefined;
    if (inFile !== undefined && inFile < this.#inFile) return inFile;
    if (firstOfTail === undefined || inTail === -1) return this.length;
    return this.#inFile + inTail;
  }

  #inFileIndexOf(isAtOrAfter: (record: PriceRecord) => boolean): Promise<number | undefined> {
    return this.#read(async (file) => {
      const found = await file.find(isAtOrAfter);
      return found === undefined ? undefined : found.record.version - 1;
    });
  }

  async #readFile(start: number, count: number): Promise<readonly PriceRecord[]> {
    const records = await this.#read(async (file) => {
      const offset = await this.#offsetOf(start, file);
      if (offset === undefined) return [];
      const read = await file.read(offset, count);
      this.#next = { index: start + count, offset: read.end };
      return read.records;
    });
    const isRight =
      records?.length === count &&
      records.every(
        ({ productId, version }, index) =>
          productId === this.#productId && version === start + index + 1,
      );
    if (!isRight) throw this.#onDamage();
    return records;
  }

  async #offsetOf(index: number, file: RecordFile): Promise<number | undefined> {
    if (index === this.#next.index) return this.#next.offset;
    return (await file.find((record) => record.version > index))?.offset;
  }

  #read<T>(use: (file: RecordFile) => Promise<T>): Promise<T | undefined> {
    return this.#productFiles.read(this.#productId, this.#onDamage, use);
  }
}
