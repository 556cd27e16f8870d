import { join } from 'node:path';
import type { FileSystem, OpenFile } from '../files/file-system.ts';
import { findLine, type Line, lastLine, readLines } from '../files/lines.ts';
import type { PriceRecord } from '../model/price-record.ts';
import type { DamagedLine } from './damage.ts';
import { openToRead } from './open-to-read.ts';
import { BadRecord, decodeLine, recordBytesMax } from './record.ts';

/** A line with a product id of usual length, and neither source nor reason. */
const recordBytesUsual = 200;

const blockBytesMin = 1 << 14;
const blockBytesMax = 1 << 20;

/** A record, where its line begins, and how many bytes it has with its newline. */
export interface FoundRecord {
  readonly record: PriceRecord;
  readonly offset: number;
  readonly length: number;
}

/**
 * Records read by position from a file of record lines in order. Only the first `bytes` bytes are
 * looked at, and they must end with a newline; a line in them that is not a record is damage, which
 * `onDamage` turns into the error that the reader gets.
 */
export class RecordFile {
  readonly #file: OpenFile;
  readonly #name: string;
  readonly #onDamage: (line: DamagedLine) => Error;
  readonly bytes: number;

  constructor(file: OpenFile, name: string, bytes: number, onDamage: (line: DamagedLine) => Error) {
    this.#file = file;
    this.#name = name;
    this.bytes = bytes;
    this.#onDamage = onDamage;
  }

  /** The first record for which `isAtOrAfter` holds, by binary search; undefined when it holds for none. */
  async find(isAtOrAfter: (record: PriceRecord) => boolean): Promise<FoundRecord | undefined> {
    const line = await findLine(this.#file, this.bytes, recordBytesMax, (candidate) =>
      isAtOrAfter(this.#decode(candidate)),
    );
    if (line === undefined) return undefined;
    return { record: this.#decode(line), offset: line.offset, length: line.bytes.length + 1 };
  }

  /** The last record; undefined in an empty file. */
  async last(): Promise<PriceRecord | undefined> {
    if (this.bytes === 0) return undefined;
    return this.#decode(await lastLine(this.#file, this.bytes, recordBytesMax));
  }

  /** Up to `count` records from the line at `offset` on, and where the line after them begins. */
  async read(
    offset: number,
    count: number,
  ): Promise<{ readonly records: readonly PriceRecord[]; readonly end: number }> {
    const records: PriceRecord[] = [];
    let end = offset;
    if (count === 0) return { records, end };
    // About as much at a time as they take, as what is read past them is read for nothing.
    const blockBytes = Math.min(Math.max(count * recordBytesUsual, blockBytesMin), blockBytesMax);
    const blocks = readLines(this.#file, offset, this.bytes, recordBytesMax, blockBytes);
    for await (const lines of blocks) {
      for (const line of lines) {
        records.push(this.#decode(line));
        end = line.offset + line.bytes.length + 1;
        if (records.length === count) return { records, end };
      }
    }
    return { records, end };
  }

  #decode(line: Line): PriceRecord {
    const record = decodeLine(line);
    if (!(record instanceof BadRecord)) return record;
    const { problem } = record;
    throw this.#onDamage({ file: this.#name, offset: line.offset, problem });
  }
}

/** Opens `path` within `directory`, hands it to `use`, and closes it whatever happens. `STORAGE_BUSY`. */
export async function withFile<T>(
  files: FileSystem,
  directory: string,
  path: string,
  use: (file: OpenFile) => Promise<T>,
): Promise<T> {
  const file = await openToRead(files, join(directory, path));
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** All lines of the file at `path` within `directory`, a block of them at a time. */
export async function* recordFileLines(
  files: FileSystem,
  directory: string,
  path: string,
): AsyncGenerator<readonly Line[]> {
  const file = await files.open(join(directory, path), 'read');
  try {
    yield* readLines(file, 0, (await file.stat()).bytes, recordBytesMax);
  } finally {
    await file.close();
  }
}
