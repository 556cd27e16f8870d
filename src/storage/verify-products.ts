import { crc32 } from 'node:zlib';
import type { FileSystem } from '../files/file-system.ts';
import { type Line, readLines } from '../files/lines.ts';
import type { PriceRecord } from '../model/price-record.ts';
import type { Findings } from './findings.ts';
import type { LineSums } from './line-sums.ts';
import { productFile } from './product-file.ts';
import { listProductFiles } from './product-listing.ts';
import { BadRecord, decodeLine, recordBytesMax } from './record.ts';
import { withFile } from './record-file.ts';

/**
 * Reads every product file: checksums, versions dense from 1, each previousPrice the price before, and
 * each line the journal's. What stands past `checkpointSeq` need not be whole when `isBehind`: it was
 * never synced, and the next start writes it again. `onDamaged` is given each file in which damage was
 * found, once it is closed. Returns how many product files there are.
 */
export async function verifyProducts(
  files: FileSystem,
  directory: string,
  findings: Findings,
  sums: LineSums,
  checkpointSeq: number,
  isBehind: boolean,
  onDamaged: (file: string) => Promise<void> = async () => {},
): Promise<number> {
  let products = 0;
  for await (const paths of listProductFiles(files, directory)) {
    for (const file of paths) {
      const { damageCount } = findings;
      const check = new ProductFileCheck(file, findings, sums, checkpointSeq, isBehind);
      await withFile(files, directory, file, async (handle) => {
        const { bytes } = await handle.stat();
        for await (const lines of readLines(handle, 0, bytes, recordBytesMax)) {
          for (const line of lines) check.take(line);
        }
      });
      check.finish();
      if (findings.damageCount > damageCount) await onDamaged(file);
      products += 1;
    }
  }
  return products;
}

class ProductFileCheck {
  readonly #file: string;
  readonly #findings: Findings;
  readonly #sums: LineSums;
  readonly #checkpointSeq: number;
  readonly #isBehind: boolean;
  #last: PriceRecord | undefined;
  /** The first line that is no record, until it is known whether it had to be one. */
  #unreadable: { offset: number; problem: string } | undefined;

  constructor(
    file: string,
    findings: Findings,
    sums: LineSums,
    checkpointSeq: number,
    isBehind: boolean,
  ) {
    this.#file = file;
    this.#findings = findings;
    this.#sums = sums;
    this.#checkpointSeq = checkpointSeq;
    this.#isBehind = isBehind;
  }

  take(line: Line): void {
    const record = decodeLine(line);
    if (record instanceof BadRecord) {
      this.#unreadable ??= { offset: line.offset, problem: record.problem };
      return;
    }
    const foreign = this.#sums.take(record.seq, crc32(line.bytes));
    // After an unreadable line the chain is broken in any case.
    const problem =
      foreign ?? (this.#unreadable === undefined ? this.#problemOf(record) : undefined);
    if (problem !== undefined) this.#findings.damage(this.#file, line.offset, record.seq, problem);
    // A good record from before the checkpoint after an unreadable one: what was synced is damaged.
    else if (record.seq <= this.#checkpointSeq) this.#reportUnreadable();
    this.#last = record;
  }

  finish(): void {
    if (this.#unreadable === undefined) return;
    if (!this.#isBehind) this.#reportUnreadable();
    else this.#findings.note(`${this.#file}: its end is not whole; the next start writes it again`);
  }

  #problemOf(record: PriceRecord): string | undefined {
    if (productFile(record.productId) !== this.#file) return "the record is another product's";
    const version = (this.#last?.version ?? 0) + 1;
    if (record.version !== version) return `its version is ${record.version}, not ${version}`;
    const previous = this.#last?.newPrice ?? null;
    if (record.previousPrice === previous) return undefined;
    return `its previousPrice is ${record.previousPrice}, and the price before it ${previous}`;
  }

  #reportUnreadable(): void {
    if (this.#unreadable === undefined) return;
    const { offset, problem } = this.#unreadable;
    this.#findings.damage(this.#file, offset, this.#last?.seq ?? 0, problem);
    this.#unreadable = undefined;
  }
}
